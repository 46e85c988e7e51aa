// The environment's settings of tokens and origins, validated as a whole: while one is missing or wrong, every request
// is refused with `misconfigured`.

import { cacheByValues, MIN_HMAC_KEY_BYTES, secureUrl } from "../model/environment.ts";
import { logError } from "../model/logger.ts";
import { readOrigins } from "./origin.ts";
import { remoteKeys, secretKey, type KeySource } from "./keys.ts";
import { Refusal } from "./auth-refusal.ts";

export interface AuthEnv {
  /** Secret of HS256, 32 bytes or more. Exactly one of this and `JWT_JWKS_URL` is set. */
  JWT_SECRET?: string;
  /** URL of the issuer's key set (RFC 7517): https, or http on a loopback host. */
  JWT_JWKS_URL?: string;
  /** The required `iss` of tokens. */
  JWT_ISSUER?: string;
  /** The required `aud` of tokens, or one of theirs. */
  JWT_AUDIENCE?: string;
  /** Origins of pages that may connect, beside the server's own; separated by commas: `https://app.example`. */
  ALLOWED_ORIGINS?: string;
  /** The claim with the user's id. Absent: `sub`, else `nameid`. */
  USER_ID_CLAIM?: string;
  /** The claim with the tenant. Absent: `tid`. */
  TENANT_CLAIM?: string;
  /** One or two keys of 32 bytes or more that services sign with, separated by a comma. */
  ACCESS_KEYS?: string;
}

export interface AuthConfig {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: KeySource;
  readonly origins: ReadonlySet<string>;
  readonly userIdClaim?: string;
  readonly tenantClaim: string;
}

/** The variables that the cached configuration depends on. `ACCESS_KEYS` is read on its own, in access-keys.ts. */
const VARIABLES = [
  "JWT_SECRET",
  "JWT_JWKS_URL",
  "JWT_ISSUER",
  "JWT_AUDIENCE",
  "ALLOWED_ORIGINS",
  "USER_ID_CLAIM",
  "TENANT_CLAIM",
] as const satisfies readonly (keyof AuthEnv)[];

/**
 * The configuration. Throws a `misconfigured` refusal and logs the variable's name, never its value. Cached by the
 * values of all variables: fetched keys survive between requests, and keys of two issuers never mix.
 */
export const readConfig = cacheByValues<AuthEnv, AuthConfig>(VARIABLES, checkConfig);

function checkConfig(env: AuthEnv): AuthConfig {
  return {
    keys: readKeys(env),
    issuer: env.JWT_ISSUER || rejectConfig("JWT_ISSUER is missing."),
    audience: env.JWT_AUDIENCE || rejectConfig("JWT_AUDIENCE is missing."),
    origins:
      readOrigins(env.ALLOWED_ORIGINS ?? "") ??
      rejectConfig("ALLOWED_ORIGINS has an entry which is no origin, such as https://app.example."),
    ...(env.USER_ID_CLAIM && { userIdClaim: env.USER_ID_CLAIM }),
    tenantClaim: env.TENANT_CLAIM || "tid",
  };
}

/** The one source of verification keys. Both variables at once are refused: it would be unclear which one counts. */
function readKeys({ JWT_SECRET, JWT_JWKS_URL }: AuthEnv): KeySource {
  if (JWT_SECRET && JWT_JWKS_URL) rejectConfig("JWT_SECRET and JWT_JWKS_URL are both set.");
  if (JWT_SECRET) return readSecret(JWT_SECRET);
  if (JWT_JWKS_URL) return readKeysUrl(JWT_JWKS_URL);
  return rejectConfig("JWT_SECRET is missing, and so is JWT_JWKS_URL; one of them is needed.");
}

function readSecret(secret: string): KeySource {
  const bytes = new TextEncoder().encode(secret);
  if (bytes.length < MIN_HMAC_KEY_BYTES)
    rejectConfig(`JWT_SECRET is under ${MIN_HMAC_KEY_BYTES} bytes.`);
  return secretKey(bytes);
}

function readKeysUrl(text: string): KeySource {
  const url = secureUrl(text);
  if (typeof url === "string") rejectConfig(`JWT_JWKS_URL ${url}`);
  return remoteKeys(url.href);
}

/** Logs the problem and refuses the request with `misconfigured`. */
export function rejectConfig(problem: string): never {
  logError("misconfigured", { problem });
  throw new Refusal("misconfigured");
}
