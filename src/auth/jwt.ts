// Verifies a token and says whom it names. Jose does the cryptography and the registered claims.

import { errors, jwtVerify } from "jose";
import type { JWTHeaderParameters, JWTPayload, JWTVerifyResult } from "jose";
import type { User } from "../model/user.ts";
import { userOf } from "./claims.ts";
import type { AuthConfig } from "./auth-config.ts";
import { countMembers } from "./duplicate-members.ts";
import { Refusal, type Reason } from "./auth-refusal.ts";

/** Longer ones are not even decoded. */
const MAX_LENGTH = 8 * 1024;
/** How far an issuer's clock may be from ours. */
export const LEEWAY_SECONDS = 60;

/** The user a token names, as far as a configuration allows. Throws a `Refusal`. */
export async function verify(token: string, config: AuthConfig, nowMs: number): Promise<User> {
  checkForm(token);
  const { protectedHeader, payload } = await verified(token, config, nowMs);
  checkMembers(token, [protectedHeader, payload]);
  checkIssuedAt(payload, nowMs);
  return userOf(payload, config, LEEWAY_SECONDS);
}

/** Base64url without padding or blanks: jose's decoder may be laxer. An empty signature is left to the algorithm. */
export function checkForm(token: string): void {
  if (token === "") throw new Refusal("token_missing");
  if (token.length > MAX_LENGTH) throw new Refusal("token_too_large");
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) throw new Refusal("token_malformed");
}

async function verified(
  token: string,
  config: AuthConfig,
  nowMs: number,
): Promise<JWTVerifyResult> {
  const { issuer, audience, keys } = config;
  const find = (header: JWTHeaderParameters) => {
    checkHeader(header);
    return keys.find(header, nowMs);
  };
  try {
    return await jwtVerify(token, find, {
      algorithms: keys.algorithms,
      issuer,
      audience,
      clockTolerance: LEEWAY_SECONDS,
      currentDate: new Date(nowMs),
      requiredClaims: ["exp"],
    });
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(reasonOf(error));
  }
}

const TYPES: ReadonlySet<unknown> = new Set(["jwt", "at+jwt"]);

/** Extensions are refused, understood or not. Keys that a token brings along (`jwk`, `jku`, `x5c`, `x5u`) are not read. */
function checkHeader({ typ = "JWT", crit, b64 }: JWTHeaderParameters): void {
  const isPlain = crit === undefined && b64 === undefined;
  if (!isPlain || typeof typ !== "string" || !TYPES.has(typ.toLowerCase()))
    throw new Refusal("token_malformed");
}

const REASONS: ReadonlyMap<unknown, Reason> = new Map<unknown, Reason>([
  [errors.JWTExpired.code, "token_expired"],
  [errors.JOSEAlgNotAllowed.code, "token_algorithm"],
  [errors.JOSENotSupported.code, "token_malformed"],
  [errors.JWSInvalid.code, "token_malformed"],
  [errors.JWTInvalid.code, "token_malformed"],
  [errors.JWSSignatureVerificationFailed.code, "token_bad_signature"],
]);

export function reasonOf(error: unknown): Reason {
  if (error instanceof errors.JWTClaimValidationFailed) return claimReason(error);
  if (error instanceof errors.JOSEError) return REASONS.get(error.code) ?? "token_malformed";
  // All that is left is a key that WebCrypto will not use: too short an RSA modulus, say.
  return "token_unknown_key";
}

function claimReason({ claim, reason }: errors.JWTClaimValidationFailed): Reason {
  if (claim === "iss") return "token_wrong_issuer";
  if (claim === "aud") return "token_wrong_audience";
  return claim === "nbf" && reason === "check_failed"
    ? "token_not_yet_valid"
    : "token_claim_invalid";
}

/** Readers differ on which of two equal names counts (RFC 7519 §4), so a token with such is nobody's. */
function checkMembers(token: string, parsed: readonly [header: object, payload: object]): void {
  const parts = token.split(".", 2);
  const isUnique = (part: string, at: number) =>
    countMembers(decode(part)) === Object.keys(parsed[at]!).length;
  if (!parts.every(isUnique)) throw new Refusal("token_malformed");
}

/** One character for each byte: what structures JSON is ASCII, so reading UTF-8 would only take longer. */
const decode = (part: string): string => atob(part.replaceAll("-", "+").replaceAll("_", "/"));

/** Jose looks at `iat` only where a greatest age is given. */
function checkIssuedAt({ iat }: JWTPayload, nowMs: number): void {
  if (iat !== undefined && iat > Math.floor(nowMs / 1000) + LEEWAY_SECONDS)
    throw new Refusal("token_not_yet_valid");
}
