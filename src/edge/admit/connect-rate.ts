// The rate of new connections, by user and by network: a Rate Limiting binding, if there is one, near the client and
// before any object is reached. It counts approximately; a user's account (rooms/account) counts exactly, and later.

import { HubError } from "../../model/errors.ts";
import { clientNetwork } from "../../model/client-network.ts";
import { accountOf, type User } from "../../model/user.ts";

export interface ConnectRateEnv {
  /** Optional: without it only accounts limit the rate. */
  readonly CONNECT_LIMITER?: RateLimit;
}

/**
 * Counts one new connection. Both keys are counted even where the first is over its limit, so that a change of user
 * does not hide an address. Throws `rate_limited`.
 */
export async function checkConnectRate(
  request: Request,
  user: User,
  { CONNECT_LIMITER: limiter }: ConnectRateEnv,
): Promise<void> {
  if (!limiter) return;
  const network = clientNetwork(request);
  const account = JSON.stringify([user.tenant, accountOf(user)]);
  const keys = network === undefined ? [account] : [account, network];
  const outcomes = await Promise.all(keys.map((key) => limiter.limit({ key })));
  if (outcomes.every(({ success }) => success)) return;
  throw new HubError("rate_limited", "Connections are begun too often from here.");
}
