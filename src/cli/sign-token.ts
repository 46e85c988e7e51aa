// Signs one token with the endpoint's secret. The callers, token.ts and the tests, choose the user and the claims.

import { SignJWT } from "jose";
import type { Keys } from "./dev-vars.ts";

export interface TokenOptions {
  readonly user: string;
  /** Further claims. `sub`, `iss`, `aud`, `iat` and `exp` cannot be overridden. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly ttlSeconds?: number;
  readonly nowSeconds?: number;
}

export function signToken(keys: Keys, options: TokenOptions): Promise<string> {
  const now = options.nowSeconds ?? Math.floor(Date.now() / 1_000);
  const { user, claims = {}, ttlSeconds = 3_600 } = options;
  return new SignJWT({ jti: crypto.randomUUID(), ...claims })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(user)
    .setIssuer(keys.issuer)
    .setAudience(keys.audience)
    .setIssuedAt(now)
    .setExpirationTime(now + ttlSeconds)
    .sign(new TextEncoder().encode(keys.secret));
}
