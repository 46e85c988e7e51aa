// Verifies JWTs: their form, signature and members, and the registered claims (RFC 7519 §4.1), which are read as .NET's
// JsonWebTokenHandler reads them (docs/design/rest-and-tokens.md#to10). jose does the cryptography; the checks that it
// leaves open are here.

import { base64url, compactVerify, decodeProtectedHeader, errors, type JWTPayload } from "jose";
import type { CompactJWSHeaderParameters, CryptoKey, JWTHeaderParameters } from "jose";
import type { User } from "../model/user.ts";
import { isJsonObject } from "../protocols/json.ts";
import type { AuthConfig } from "./auth-config.ts";
import { Refusal, refuseClaim, type Reason } from "./auth-refusal.ts";
import { claimAt, userOf, type ClaimNames } from "./claims.ts";
import { issuerOf, type Issuer } from "./issuers.ts";
import { keyRefusal, lifetimeRefusal, wrongAudience, wrongIssuer } from "./token-facts.ts";

/** Tolerated difference between the issuer's clock and the server's, for `exp`, `nbf` and `iat`. */
export const LEEWAY_SECONDS = 60;

/**
 * The user of a token. Throws a `Refusal`, with the first reason in this order: form, algorithm, header, key,
 * signature, duplicate members, issuer, audience, times, other claims. If there are several issuers, the issuer is
 * checked directly after the form: it selects the keys, so that the keys of one issuer never verify tokens of another.
 */
export async function verify(
  token: string,
  config: AuthConfig & Pick<ClaimNames, "userId">,
  nowMs: number,
): Promise<User> {
  const { userId: by, verified } = config;
  const known = verified.userOf(token, by, nowMs);
  if (known) return known;
  checkForm(token);
  const written = payloadOf(token);
  const named = issuerOf(written, config.issuers);
  const issuer = named ?? onlyOf(config.issuers, written);
  const { keys } = issuer;
  const find = (header: Parameters<typeof keys.find>[0]) =>
    keys.find(header, { nowMs, iss: written["iss"] });
  const header = await verifySignature(token, { algorithms: keys.algorithms, find });
  checkMembers(token, [header, written]);
  if (!named) throw notOf(config.issuers, written);
  checkAudience(claimAt(written, issuer.audienceClaim), issuer);
  const claims = registeredClaims(written, nowMs);
  const user = userOf(claims, { ...issuer, userId: by }, LEEWAY_SECONDS);
  const until = Math.min(claims.exp! * 1000, keys.goodUntil());
  verified.add(token, { user, by, from: nowMs, until });
  return user;
}

/** The only issuer. Its keys verify even a token that names another issuer, which is refused in any case. */
function onlyOf(issuers: readonly Issuer[], written: UnverifiedClaims): Issuer {
  const [only, ...others] = issuers;
  if (!only || others.length > 0) throw notOf(issuers, written);
  return only;
}

const notOf = (issuers: readonly Issuer[], { iss }: UnverifiedClaims): Refusal =>
  wrongIssuer(
    issuers.map(({ issuer }) => issuer),
    iss,
  );

/** Refuses duplicate names (RFC 7519 §4): readers differ on which of two equal names counts. */
export function checkMembers(
  token: string,
  parsed: readonly [header: object, payload: UnverifiedClaims],
): void {
  const parts = token.split(".", 2);
  const isUnique = (part: string, at: number) =>
    countMembers(decode(part)) === Object.keys(parsed[at]!).length;
  if (!parts.every(isUnique)) throw new Refusal("token_malformed");
}

/** One character per byte. JSON's structure is ASCII, so decoding UTF-8 would only cost time. */
const decode = (part: string): string => atob(part.replaceAll("-", "+").replaceAll("_", "/"));

/** In characters; longer tokens are refused before they are decoded. */
const MAX_LENGTH = 8 * 1024;

/**
 * Requires three parts of base64url without padding or blanks, which jose's decoder may tolerate. An empty signature
 * passes here, and is refused with the algorithm.
 */
export function checkForm(token: string): void {
  if (token === "") throw new Refusal("token_missing");
  if (token.length > MAX_LENGTH) throw new Refusal("token_too_large");
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) throw new Refusal("token_malformed");
}

/** A payload as it was written, before its signature is verified. */
export type UnverifiedClaims = Readonly<Record<string, unknown>>;

/** Decodes the payload. Throws `token_malformed` if it is not a JSON object. */
export function payloadOf(token: string): UnverifiedClaims {
  let payload: unknown;
  try {
    payload = JSON.parse(new TextDecoder().decode(base64url.decode(token.split(".", 2)[1] ?? "")));
  } catch {
    // The error does not quote the payload, which may have personal data.
    throw new Refusal("token_malformed");
  }
  if (!isJsonObject(payload)) throw new Refusal("token_malformed");
  return payload;
}

/** Finds the key of a token by its header, which is not verified yet. */
interface Verifier {
  readonly algorithms: readonly string[];
  find(header: JWTHeaderParameters): Promise<CryptoKey | Uint8Array>;
}

/** Verifies the signature, and returns the header. Throws a `Refusal`, either its own or one that `find` throws. */
export async function verifySignature(
  token: string,
  { algorithms, find }: Verifier,
): Promise<CompactJWSHeaderParameters> {
  const findKey = (header: JWTHeaderParameters) => {
    checkHeader(header);
    return find(header);
  };
  try {
    const options = { algorithms: [...algorithms] };
    return (await compactVerify(token, findKey, options)).protectedHeader;
  } catch (error) {
    const refusal = error instanceof Refusal ? error : refusalOf(error, token);
    throw keyRefusal(refusal, { token, algorithms });
  }
}

/** Accepted types of tokens (RFC 7515 §4.1.9: `application/` may be left out). */
const TOKEN_TYPES: ReadonlySet<unknown> = new Set(["jwt", "at+jwt"]);

/**
 * Refuses extensions (`crit`, `b64`) and other types. Keys inside the header (`jwk`, `jku`, `x5c`, `x5u`) are never
 * read.
 */
function checkHeader({ typ = "JWT", crit, b64 }: JWTHeaderParameters): void {
  const isPlain = crit === undefined && b64 === undefined;
  if (!isPlain || typeof typ !== "string" || !TOKEN_TYPES.has(shortType(typ)))
    throw new Refusal("token_malformed");
}

const shortType = (typ: string): string => typ.toLowerCase().replace(/^application\//, "");

/** Reasons of refusal by jose's error codes. */
const REASONS: ReadonlyMap<unknown, Reason> = new Map<unknown, Reason>([
  [errors.JOSEAlgNotAllowed.code, "token_algorithm"],
  [errors.JWSSignatureVerificationFailed.code, "token_bad_signature"],
]);

function refusalOf(error: unknown, token: string): Refusal {
  // Any other error means that WebCrypto refuses the key, for example because an RSA modulus is too short.
  if (!(error instanceof errors.JOSEError)) return new Refusal("token_unknown_key");
  const reason = REASONS.get(error.code) ?? "token_malformed";
  return reason === "token_algorithm" && hasXmlAlgorithm(token)
    ? new Refusal(reason, { message: XML_ALGORITHM })
    : new Refusal(reason);
}

/** The value of `alg` in .NET's tokens that are signed with `SecurityAlgorithms.HmacSha256Signature`. */
const XML_ALGORITHM =
  "The token's algorithm is the URI of an XML signature, not a name of RFC 7518 such as HS256 or RS256.";

const hasXmlAlgorithm = (token: string): boolean =>
  decodeProtectedHeader(token).alg?.startsWith("http://www.w3.org/") === true;

/**
 * The number of members of the outermost object, each repeated name counted: `JSON.parse` keeps only the last of
 * several equal names. The text must be valid JSON.
 */
export function countMembers(json: string): number {
  let members = 0;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const unit = json[at];
    if (unit === '"') at = endOfString(json, at);
    else if (unit === "{" || unit === "[") depth++;
    else if (unit === "}" || unit === "]") depth--;
    else if (unit === ":" && depth === 1) members++;
  }
  return members;
}

/** The index of the closing quote of the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at;
}

/**
 * The claims as the server uses them: times as numbers, and without other claims that are null. Throws a `Refusal` for
 * a token that is not valid now; `exp` is required.
 */
export function registeredClaims(written: UnverifiedClaims, nowMs: number): JWTPayload {
  const claims = Object.fromEntries(Object.entries(written).filter(([, value]) => value !== null));
  const [exp, nbf, iat] = [timeOf(written, "exp"), timeOf(written, "nbf"), timeOf(written, "iat")];
  const [now, leeway] = [Math.floor(nowMs / 1000), LEEWAY_SECONDS];
  if (exp === undefined) return refuseClaim("exp");
  if (!isText(claims["jti"] ?? "")) refuseClaim("jti");
  for (const [claim, time = -Infinity] of [
    ["nbf", nbf],
    ["iat", iat],
  ] as const)
    if (time > now + leeway)
      throw lifetimeRefusal("token_not_yet_valid", { claim, time, now, leeway });
  if (exp <= now - leeway)
    throw lifetimeRefusal("token_expired", { claim: "exp", time: exp, now, leeway });
  return {
    ...claims,
    exp,
    ...(nbf !== undefined && { nbf }),
    ...(iat !== undefined && { iat }),
  };
}

/** The numbers that .NET reads from text, except those with digits in groups. */
const NUMBER = /^\s*[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?\s*$/i;

/**
 * A time in seconds since 1970; undefined for an absent claim. Null is refused, as in .NET. Numeric text is accepted,
 * because .NET's tutorials write `iat` as text.
 */
export function timeOf(claims: UnverifiedClaims, claim: string): number | undefined {
  const value = claims[claim];
  if (value === undefined || typeof value === "number") return value;
  if (isText(value) && NUMBER.test(value)) return Number(value);
  return refuseClaim(claim);
}

/** Throws `token_wrong_audience` unless the claim has one of the audiences; a slash at the end makes no difference. */
function checkAudience(
  given: unknown,
  { audiences, audienceClaim }: { audiences: readonly string[]; audienceClaim: string },
): void {
  const texts = [given].flat().filter(isText);
  const isWanted = (text: string) => audiences.some((wanted) => areSame(text, wanted));
  if (!texts.some(isWanted)) throw wrongAudience(audienceClaim, audiences, given);
}

/** Compares as .NET does by default: one of the two may have a slash more at the end. */
const areSame = (given: string, wanted: string): boolean =>
  given === wanted || given === `${wanted}/` || `${given}/` === wanted;

const isText = (value: unknown): value is string => typeof value === "string";
