// The form, header and signature of a token. jose does the cryptography; the checks that it leaves open are here.

import { compactVerify, decodeProtectedHeader, errors } from "jose";
import type { CompactJWSHeaderParameters, CryptoKey, JWTHeaderParameters } from "jose";
import { withFacts } from "../model/refusal-facts.ts";
import { Refusal, type Reason } from "./auth-refusal.ts";

/** Characters; longer tokens are refused before they are decoded. */
const MAX_LENGTH = 8 * 1024;

/**
 * Three parts of base64url without padding or blanks, which jose's decoder may tolerate. An empty signature passes
 * here: the algorithm refuses it.
 */
export function checkForm(token: string): void {
  if (token === "") throw new Refusal("token_missing");
  if (token.length > MAX_LENGTH) throw new Refusal("token_too_large");
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) throw new Refusal("token_malformed");
}

/** Where the key of a token comes from. The header is not verified when it is looked at. */
export interface Verifier {
  readonly algorithms: readonly string[];
  find(header: JWTHeaderParameters): Promise<CryptoKey | Uint8Array>;
}

/** Verifies the signature and gives the header. Throws a `Refusal`, also for one that `find` throws. */
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
    throw withFacts(refusal, () => ({ expected: { alg: algorithms }, received: headerOf(token) }));
  }
}

/** Names of the header that select a key, of which none is secret. */
function headerOf(token: string): object {
  try {
    const { alg, kid, typ } = decodeProtectedHeader(token);
    return { alg, kid, typ };
  } catch {
    return { header: "not readable" };
  }
}

/** Types of tokens (RFC 7515 §4.1.9: `application/` may be left out). */
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
  // What is no error of jose is a key that WebCrypto refuses, such as an RSA modulus that is too short.
  if (!(error instanceof errors.JOSEError)) return new Refusal("token_unknown_key");
  const reason = REASONS.get(error.code) ?? "token_malformed";
  return reason === "token_algorithm" && hasXmlAlgorithm(token)
    ? new Refusal(reason, { message: XML_ALGORITHM })
    : new Refusal(reason);
}

/** .NET writes `alg` so where a token is signed with `SecurityAlgorithms.HmacSha256Signature`. */
const XML_ALGORITHM =
  "The token's algorithm is the URI of an XML signature, not a name of RFC 7518 such as HS256 or RS256.";

const hasXmlAlgorithm = (token: string): boolean =>
  decodeProtectedHeader(token).alg?.startsWith("http://www.w3.org/") === true;
