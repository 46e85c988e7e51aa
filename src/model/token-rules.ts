// Revocation: which valid tokens of a user are refused.

import type { TokenFacts } from "./user.ts";

export interface TokenRules {
  /** Revokes tokens issued before this time (seconds since 1970), and tokens without `iat`. */
  readonly before?: number;
  /** Revokes tokens with one of these ids. */
  readonly jtis: readonly string[];
  /** Revokes all tokens: the user is banned. */
  readonly all?: boolean;
}

export const isRevoked = ({ jti, iat }: TokenFacts, { before, jtis, all }: TokenRules): boolean =>
  all === true ||
  (before !== undefined && !(iat !== undefined && iat >= before)) ||
  (jti !== undefined && jtis.includes(jti));
