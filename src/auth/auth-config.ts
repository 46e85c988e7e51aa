// What the environment says about tokens and origins, checked as a whole: a gap refuses every request.

import { byValues, secureUrl } from "../model/environment.ts";
import { logError } from "../model/logger.ts";
import { readOrigins } from "./origin.ts";
import { remoteKeys, secretKey, type KeySource } from "./keys.ts";
import { Refusal } from "./auth-refusal.ts";

export interface AuthEnv {
  /** HS256; 32 bytes or more. Either this or `JWT_JWKS_URL`. */
  JWT_SECRET?: string;
  /** Asymmetric keys. https, or http on this machine. */
  JWT_JWKS_URL?: string;
  JWT_ISSUER?: string;
  JWT_AUDIENCE?: string;
  /** Origins beside the server's own, separated by commas: `https://app.example`. */
  ALLOWED_ORIGINS?: string;
  /** Absent: `sub`, else `nameid`. */
  USER_ID_CLAIM?: string;
  /** Absent: `tid`. */
  TENANT_CLAIM?: string;
  /** One or two keys of 32 bytes or more that services sign with, with a comma between. */
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
 * The configuration, or a `misconfigured` refusal and a log line that names the variable and not its value. Keys that
 * were fetched outlive a request with it. It never depends on who asked first, and since issuer and URL are among its
 * values, keys of two issuers cannot meet.
 */
export const readConfig = byValues<AuthEnv, AuthConfig>(VARIABLES, checkConfig);

function checkConfig(env: AuthEnv): AuthConfig {
  return {
    keys: readKeys(env),
    issuer: env.JWT_ISSUER || misconfigured("JWT_ISSUER is missing."),
    audience: env.JWT_AUDIENCE || misconfigured("JWT_AUDIENCE is missing."),
    origins:
      readOrigins(env.ALLOWED_ORIGINS ?? "") ??
      misconfigured(
        "ALLOWED_ORIGINS has an entry which is no origin, such as https://app.example.",
      ),
    ...(env.USER_ID_CLAIM && { userIdClaim: env.USER_ID_CLAIM }),
    tenantClaim: env.TENANT_CLAIM || "tid",
  };
}

function readKeys({ JWT_SECRET, JWT_JWKS_URL }: AuthEnv): KeySource {
  if (JWT_SECRET && JWT_JWKS_URL) misconfigured("JWT_SECRET and JWT_JWKS_URL are both set.");
  if (JWT_SECRET) return readSecret(JWT_SECRET);
  if (JWT_JWKS_URL) return readKeysUrl(JWT_JWKS_URL);
  return misconfigured("JWT_SECRET is missing, and so is JWT_JWKS_URL; one of them is needed.");
}

/** RFC 7518 §3.2: a key of HS256 is at least as long as its hash. */
const SECRET_BYTES = 32;

function readSecret(secret: string): KeySource {
  const bytes = new TextEncoder().encode(secret);
  if (bytes.length < SECRET_BYTES) misconfigured(`JWT_SECRET is under ${SECRET_BYTES} bytes.`);
  return secretKey(bytes);
}

function readKeysUrl(text: string): KeySource {
  const url = secureUrl(text);
  if (typeof url === "string") misconfigured(`JWT_JWKS_URL ${url}`);
  return remoteKeys(url.href);
}

export function misconfigured(problem: string): never {
  // Every request is refused.
  logError("misconfigured", { problem });
  throw new Refusal("misconfigured");
}
