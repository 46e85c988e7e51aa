// Verifies tokens of the configured issuer and reads their user. jose does the cryptography and the registered claims;
// the checks that it leaves open are here.

import { errors, jwtVerify } from "jose";
import type { JWTHeaderParameters, JWTPayload, JWTVerifyResult } from "jose";
import type { User } from "../model/user.ts";
import { userOf } from "./claims.ts";
import type { AuthConfig } from "./auth-config.ts";
import { countMembers } from "./duplicate-members.ts";
import { Refusal, type Reason } from "./auth-refusal.ts";

/** Characters; longer tokens are refused before they are decoded. */
const MAX_LENGTH = 8 * 1024;
/** Tolerated difference between the issuer's clock and ours, for `exp`, `nbf` and `iat`. */
export const LEEWAY_SECONDS = 60;

/**
 * The user of a token. Throws a `Refusal`, with the first reason in this order: form, header, key, signature,
 * registered claims, duplicate members, `iat`, other claims.
 */
export async function verify(token: string, config: AuthConfig, nowMs: number): Promise<User> {
  checkForm(token);
  const { protectedHeader, payload } = await verifyJwt(token, config, nowMs);
  checkMembers(token, [protectedHeader, payload]);
  checkIssuedAt(payload, nowMs);
  return userOf(payload, config, LEEWAY_SECONDS);
}

/**
 * Three parts of base64url without padding or blanks, which jose's decoder may tolerate. An empty signature passes
 * here: the algorithm refuses it.
 */
export function checkForm(token: string): void {
  if (token === "") throw new Refusal("token_missing");
  if (token.length > MAX_LENGTH) throw new Refusal("token_too_large");
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) throw new Refusal("token_malformed");
}

async function verifyJwt(
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
    throw error instanceof Refusal ? error : new Refusal(refusalReasonOf(error));
  }
}

const TOKEN_TYPES: ReadonlySet<unknown> = new Set(["jwt", "at+jwt"]);

/**
 * Refuses extensions (`crit`, `b64`) and other types. Keys inside the header (`jwk`, `jku`, `x5c`, `x5u`) are never
 * read.
 */
function checkHeader({ typ = "JWT", crit, b64 }: JWTHeaderParameters): void {
  const isPlain = crit === undefined && b64 === undefined;
  if (!isPlain || typeof typ !== "string" || !TOKEN_TYPES.has(typ.toLowerCase()))
    throw new Refusal("token_malformed");
}

/** Reasons of refusal by jose's error codes. Claims are in `claimReason`. */
const REASONS: ReadonlyMap<unknown, Reason> = new Map<unknown, Reason>([
  [errors.JWTExpired.code, "token_expired"],
  [errors.JOSEAlgNotAllowed.code, "token_algorithm"],
  [errors.JOSENotSupported.code, "token_malformed"],
  [errors.JWSInvalid.code, "token_malformed"],
  [errors.JWTInvalid.code, "token_malformed"],
  [errors.JWSSignatureVerificationFailed.code, "token_bad_signature"],
]);

export function refusalReasonOf(error: unknown): Reason {
  if (error instanceof errors.JWTClaimValidationFailed) return claimReason(error);
  if (error instanceof errors.JOSEError) return REASONS.get(error.code) ?? "token_malformed";
  // What remains is a key that WebCrypto refuses, such as an RSA modulus that is too short.
  return "token_unknown_key";
}

function claimReason({ claim, reason }: errors.JWTClaimValidationFailed): Reason {
  if (claim === "iss") return "token_wrong_issuer";
  if (claim === "aud") return "token_wrong_audience";
  return claim === "nbf" && reason === "check_failed"
    ? "token_not_yet_valid"
    : "token_claim_invalid";
}

/** RFC 7519 §4: readers differ on which of two equal names counts, so a token with such is refused. */
function checkMembers(token: string, parsed: readonly [header: object, payload: object]): void {
  const parts = token.split(".", 2);
  const isUnique = (part: string, at: number) =>
    countMembers(decode(part)) === Object.keys(parsed[at]!).length;
  if (!parts.every(isUnique)) throw new Refusal("token_malformed");
}

/** One character per byte. JSON's structure is ASCII, so decoding UTF-8 would only cost time. */
const decode = (part: string): string => atob(part.replaceAll("-", "+").replaceAll("_", "/"));

/** Refuses tokens from the future. jose checks `iat` only with a maximum age. */
function checkIssuedAt({ iat }: JWTPayload, nowMs: number): void {
  if (iat !== undefined && iat > Math.floor(nowMs / 1000) + LEEWAY_SECONDS)
    throw new Refusal("token_not_yet_valid");
}
