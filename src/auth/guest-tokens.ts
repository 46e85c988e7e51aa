// Tokens for guests of a deployed demo. Anybody can get one: they are short-lived, their rate is limited by network,
// their rights are limited, and they have a tenant of their own, which shares no object with others.

import { clientNetwork } from "../model/client-network.ts";
import { BINDING_SECONDS, rateLimited } from "../model/retry-after.ts";
import type { TokenLimits } from "../model/user.ts";
import { KeyedBuckets } from "../rooms/platform/rates.ts";

export interface GuestTokenEnv {
  /** `1` issues a guest's token to every caller, wherever the endpoint is. */
  DEMO_GUESTS?: string;
  /** Optional: limits guests of a network over all isolates of a location. */
  readonly CONNECT_LIMITER?: RateLimit;
}

/** Claims of a token in addition to the name and the role. */
export interface IssuedToken {
  /** Absent: the default tenant. */
  readonly tenant?: string;
  readonly seconds: number;
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Roles that a page may request. */
  readonly roles: ReadonlySet<string>;
}

/** The tenant of all guests. The operator's issuers must not use it. */
export const GUEST_TENANT = "demo-guests";

const SECONDS = 600;
/** The rate of tokens. A page needs one at its sign-in, for each new connection, and every ten minutes. */
const [PER_SECOND, BURST] = [1 / 6, 30];
/** The most networks whose rates are kept. A network whose rate was dropped begins with a full bucket. */
const NETWORKS_AT_MOST = 1_000;

/** Limits that are enough for a person at a page. */
const LIMITS: TokenLimits = {
  ...{ callsPerSecond: 10, callBurst: 30, messageBytes: 8_192 },
  ...{ groupsPerConnection: 10, streamsPerConnection: 3 },
};

/** Claims of a guest's token in addition to the name. */
export const GUEST: IssuedToken = {
  tenant: GUEST_TENANT,
  seconds: SECONDS,
  claims: { limits: LIMITS },
  roles: new Set(["Manager"]),
};

/** The rates of one isolate, by network. Under `wrangler dev` all callers are in one network. */
export class GuestRates {
  readonly #buckets = new KeyedBuckets(NETWORKS_AT_MOST);

  /** Counts one token. Throws `rate_limited`. */
  async check(request: Request, env: GuestTokenEnv): Promise<void> {
    const network = clientNetwork(request) ?? "";
    const isOwn = this.#buckets.of(network, PER_SECOND, BURST).take(Date.now());
    const key = `guests of ${network}`;
    const binding = isOwn ? await env.CONNECT_LIMITER?.limit({ key }) : undefined;
    if (isOwn && binding?.success !== false) return;
    const seconds = isOwn ? BINDING_SECONDS : 1 / PER_SECOND;
    throw rateLimited("Too many tokens are requested from here.", seconds);
  }
}
