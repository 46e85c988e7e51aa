// Users of tokens that this isolate has verified, so that a client which sends its token with every request, or comes
// back after a loss, costs that once. Kept for one configuration: other keys, issuers or audiences begin with none.
// Times hold as long as a token is kept; revocations are judged where the user is admitted.

import { freezeDeep } from "../model/plain-json.ts";
import type { User } from "../model/user.ts";
import type { UserIdProvider } from "./claims.ts";

/** Tokens at most, of 8,192 characters each. Beyond it the oldest goes first. */
const AT_MOST = 1_000;

interface VerifiedToken {
  readonly user: User;
  /** The source of the user's id. */
  readonly by: UserIdProvider | undefined;
  /** Milliseconds since 1970: when it was verified, … */
  readonly from: number;
  /** … and when it expires, or its keys are to be fetched again. */
  readonly until: number;
}

export class VerifiedTokens {
  readonly #tokens = new Map<string, VerifiedToken>();

  /** The same object each time, which cannot be changed. Undefined: the token is to be verified. */
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
