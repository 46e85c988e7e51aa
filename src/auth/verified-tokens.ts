// Users of tokens that this isolate has verified, so that the token of a client which sends it with every request, or
// reconnects, is verified only once. Each configuration (keys, issuers, audiences) has its own. A token is kept only as
// long as its times are valid; revocations are checked when the user is admitted.

import { freezeDeep } from "../model/plain-json.ts";
import type { User } from "../model/user.ts";
import type { UserIdProvider } from "./claims.ts";

/** The most tokens, of 8,192 characters each at most. Beyond it the oldest is dropped. */
const AT_MOST = 1_000;

interface VerifiedToken {
  readonly user: User;
  /** The function that gave the user's id, if there is one. */
  readonly by: UserIdProvider | undefined;
  /** In milliseconds since 1970: when the token was verified, … */
  readonly from: number;
  /** … and when it expires, or its keys have to be fetched again. */
  readonly until: number;
}

export class VerifiedTokens {
  readonly #tokens = new Map<string, VerifiedToken>();

  /** The user, the same frozen object each time. Undefined if the token has to be verified. */
  userOf(token: string, by: UserIdProvider | undefined, nowMs: number): User | undefined {
    const known = this.#tokens.get(token);
    if (!known || known.by !== by || known.from > nowMs) return undefined;
    if (known.until > nowMs) return known.user;
    this.#tokens.delete(token);
    return undefined;
  }

  add(token: string, verified: VerifiedToken): void {
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size >= AT_MOST) this.#tokens.delete(oldest!);
    this.#tokens.set(token, { ...verified, user: freezeDeep(verified.user) });
  }
}
