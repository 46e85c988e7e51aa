// Which tokens of a user are no longer good, although they are signed and have not expired.

import type { User } from "./user.ts";

/** What a token says of itself by which it can be taken back. */
export interface TokenFacts {
  /** The user's id. */
  readonly id: string;
  readonly jti?: string;
  /** When it was issued, seconds since 1970. */
  readonly iat?: number;
}

export interface TokenRules {
  /** Those issued before this, seconds since 1970; and those that do not say when. */
  readonly before?: number;
  /** Those that bear one of these ids. */
  readonly jtis: readonly string[];
  /** The user is banned: all of them. */
  readonly all?: boolean;
}

export function factsOf({ id, claims: { jti, iat } }: Pick<User, "id" | "claims">): TokenFacts {
  return {
    id,
    ...(typeof jti === "string" && { jti }),
    ...(typeof iat === "number" && { iat }),
  };
}

export const isRevoked = ({ jti, iat }: TokenFacts, { before, jtis, all }: TokenRules): boolean =>
  all === true ||
  (before !== undefined && !(iat !== undefined && iat >= before)) ||
  (jti !== undefined && jtis.includes(jti));
