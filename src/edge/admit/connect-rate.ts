// How often a user, and whoever is at an address, may begin a connection: asked of a Rate Limiting binding where there is
// one, near the client and before any object is touched. It counts roughly; a user's account counts exactly.

import { HubError } from "../../model/errors.ts";
import type { User } from "../../model/user.ts";

export interface ConnectRateEnv {
  readonly CONNECT_LIMITER?: RateLimit;
}

/** Throws `rate_limited`. */
export async function checkConnectRate(
  { headers }: Request,
  { tenant, id }: User,
  { CONNECT_LIMITER: limiter }: ConnectRateEnv,
): Promise<void> {
  if (!limiter) return;
  const address = headers.get("cf-connecting-ip");
  const keys = [JSON.stringify([tenant, id]), ...(address === null ? [] : [address])];
  const outcomes = await Promise.all(keys.map((key) => limiter.limit({ key })));
  if (outcomes.every(({ success }) => success)) return;
  throw new HubError("rate_limited", "Connections are begun too often from here.");
}
