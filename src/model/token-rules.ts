// Revocation: which signed and unexpired tokens of a user are refused all the same.

import { accountOf, isGuest, type User } from "./user.ts";

/** The claims of a token by which it can be revoked. */
export interface TokenFacts {
  /** The user's id. */
  readonly id: string;
  /** The account that admits the user, where it is not the user's own: that of guests. */
  readonly account?: string;
  readonly jti?: string;
  /** Issued at, in seconds since 1970. */
  readonly iat?: number;
}

export interface TokenRules {
  /** Revokes tokens issued before this time (seconds since 1970), and tokens without `iat`. */
  readonly before?: number;
  /** Revokes tokens with one of these ids. */
  readonly jtis: readonly string[];
  /** Revokes all tokens: the user is banned. */
  readonly all?: boolean;
}

type TokenUser = Pick<User, "id" | "guestFrom" | "claims">;

export function factsOf(user: TokenUser): TokenFacts {
  const { jti, iat } = user.claims;
  return {
    id: user.id,
    ...(isGuest(user) && { account: accountOf(user) }),
    ...(typeof jti === "string" && { jti }),
    ...(typeof iat === "number" && { iat }),
  };
}

export const isRevoked = ({ jti, iat }: TokenFacts, { before, jtis, all }: TokenRules): boolean =>
  all === true ||
  (before !== undefined && !(iat !== undefined && iat >= before)) ||
  (jti !== undefined && jtis.includes(jti));
