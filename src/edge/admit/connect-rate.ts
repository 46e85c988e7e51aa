// The rate of new connections, by user and by address: a Rate Limiting binding, if there is one, near the client and
// before any object is reached. It counts approximately; a user's account (rooms/account) counts exactly, and later.

import { HubError } from "../../model/errors.ts";
import type { User } from "../../model/user.ts";

export interface ConnectRateEnv {
  /** Optional: without it only accounts limit the rate. */
  readonly CONNECT_LIMITER?: RateLimit;
}

/**
 * Counts one new connection. Both keys are counted even where the first is over its limit, so that a change of user
 * does not hide an address. Throws `rate_limited`.
 */
export async function checkConnectRate(
  { headers }: Request,
  { tenant, id }: User,
  { CONNECT_LIMITER: limiter }: ConnectRateEnv,
): Promise<void> {
  if (!limiter) return;
  // Set by Cloudflare; absent under `wrangler dev`.
  const address = headers.get("cf-connecting-ip");
  const keys = [JSON.stringify([tenant, id]), ...(address === null ? [] : [address])];
  const outcomes = await Promise.all(keys.map((key) => limiter.limit({ key })));
  if (outcomes.every(({ success }) => success)) return;
  throw new HubError("rate_limited", "Connections are begun too often from here.");
}
