// Tokens that a back end signs by itself with a shared access key, as the SDKs of Azure SignalR do: HS256, with the URL
// of the request as audience. Keys of single tenants are derived from the shared ones.

import { decodeProtectedHeader, SignJWT, type CryptoKey, type JWTPayload } from "jose";
import { cacheByValues, MIN_HMAC_KEY_BYTES } from "../model/environment.ts";
import { rejectConfig, type AuthEnv } from "./auth-config.ts";
import {
  checkForm,
  checkMembers,
  payloadOf,
  registeredClaims,
  verifySignature,
  type UnverifiedClaims,
} from "./jwt.ts";
import { Refusal } from "./auth-refusal.ts";
import { wrongAudience } from "./token-facts.ts";

/** Two, so that keys can be rotated without downtime. The first one signs; both verify. */
const MAX_KEYS = 2;

/**
 * The keys of `ACCESS_KEYS`, separated by commas; none if it is unset. Throws `misconfigured` for too many keys or a
 * key that is too short.
 */
const readAccessKeys = cacheByValues<AuthEnv, readonly AccessKey[]>(["ACCESS_KEYS"], (env) => {
  const [problem] = accessKeyProblems(env);
  if (problem !== undefined) return rejectConfig(problem);
  return keysIn(env).map((text, index) => new AccessKey(text, { key: `key${index + 1}` }));
});

/** The problems of `ACCESS_KEYS`; those of the other variables are in `authProblems`. */
export function accessKeyProblems(env: AuthEnv): readonly string[] {
  const keys = keysIn(env);
  const isShort = keys.some((key) => bytesOf(key).length < MIN_HMAC_KEY_BYTES);
  return [
    ...(keys.length > MAX_KEYS ? [`ACCESS_KEYS has over ${MAX_KEYS} keys.`] : []),
    ...(isShort ? [`ACCESS_KEYS has a key of under ${MIN_HMAC_KEY_BYTES} bytes.`] : []),
  ];
}

const keysIn = ({ ACCESS_KEYS = "" }: AuthEnv): readonly string[] =>
  ACCESS_KEYS.split(",")
    .map((key) => key.trim())
    .filter((key) => key !== "");

interface VerifiedToken {
  readonly claims: JWTPayload;
  /** The tenant whose derived key signed. Absent: a shared key, valid for all tenants. */
  readonly tenant?: string;
  /** `key1` or `key2`, for logs: a name, never the key itself. */
  readonly key: string;
}

/** The most derived tenants' keys, and verified tokens, that one key remembers. Beyond it, all are dropped. */
const TENANTS_AT_MOST = 100;
const TOKENS_AT_MOST = 500;

/**
 * One key, as an isolate keeps it. It is imported once, and remembers tokens whose signature it has verified, since the
 * signature of the same text stays valid. Times and audience of a token are checked at each use.
 */
class AccessKey {
  readonly text: string;
  readonly of: Omit<VerifiedToken, "claims">;
  #imported: CryptoKey | undefined;
  readonly #tenants = new Map<string, AccessKey>();
  readonly #signed = new Map<string, UnverifiedClaims>();

  constructor(text: string, of: Omit<VerifiedToken, "claims">) {
    this.text = text;
    this.of = of;
  }

  /** The key derived for a tenant. */
  async ofTenant(tenant: string): Promise<AccessKey> {
    const known = this.#tenants.get(tenant);
    if (known) return known;
    const derived = new AccessKey(await tenantKey(this.text, tenant), { ...this.of, tenant });
    if (this.#tenants.size >= TENANTS_AT_MOST) this.#tenants.clear();
    this.#tenants.set(tenant, derived);
    return derived;
  }

  /** The token's claims, if this key has signed it. Throws a `Refusal`, most often `token_bad_signature`. */
  async claimsIn(token: string): Promise<UnverifiedClaims> {
    const known = this.#signed.get(token);
    if (known) return known;
    const find = () => this.#key();
    const header = await verifySignature(token, { algorithms: ["HS256"], find });
    const written = payloadOf(token);
    checkMembers(token, [header, written]);
    if (this.#signed.size >= TOKENS_AT_MOST) this.#signed.clear();
    this.#signed.set(token, written);
    return written;
  }

  async #key(): Promise<CryptoKey> {
    const bytes = bytesOf(this.text);
    this.#imported ??= await crypto.subtle.importKey("raw", bytes, HMAC, false, ["verify"]);
    return this.#imported;
  }
}

const HMAC = { name: "HMAC", hash: "SHA-256" };

/** The audience that a token must name. */
interface Audience {
  /** The token must name one of these, in the form that `canonical` returns. */
  readonly urls: readonly string[];
  /** Normalises the token's audience, so that it can be compared with `urls`. */
  canonical(audience: string): string;
}

/**
 * Verifies a token and returns its claims. `exp` is required; the leeway is `LEEWAY_SECONDS`. Throws a `Refusal`:
 * `token_unknown_key` if no keys are configured, otherwise the one of the last key that was tried.
 */
export async function verifySigned(
  token: string,
  audience: Audience,
  { env, nowMs }: { readonly env: AuthEnv; readonly nowMs: number },
): Promise<VerifiedToken> {
  checkForm(token);
  const candidates = await candidatesFor(token, readAccessKeys(env));
  let refusal: Refusal | undefined;
  for (const key of candidates) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the second key is tried only where the first did not sign
      const claims = checked(await key.claimsIn(token), { audience, nowMs });
      return { ...key.of, claims };
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== "token_bad_signature") throw error;
      refusal = error;
    }
  }
  throw refusal ?? new Refusal("token_unknown_key");
}

/** The claims of a token that is valid now. The audience is checked last. */
function checked(
  written: UnverifiedClaims,
  { audience, nowMs }: { readonly audience: Audience; readonly nowMs: number },
) {
  const claims = registeredClaims(written, nowMs);
  const audiences = [claims.aud ?? []].flat();
  if (!audiences.some((one) => audience.urls.includes(audience.canonical(one))))
    throw wrongAudience("aud", audience.urls, claims.aud);
  return claims;
}

/**
 * A URL as audiences are compared: without query, default port and trailing slash. Scheme and host are in lower case;
 * the path is exact, since names of rooms and users differ by case, except for the digits of escapes
 * (RFC 3986, §6.2.2.1). Azure's documents sign without the query, its management SDK with it.
 */
export function canonicalUrl(text: string): string {
  const url = URL.parse(text);
  return url ? canonical(url.origin, url.pathname) : "";
}

/** The lookbehind keeps the last search from starting at each of many slashes: requests have no token yet. */
const canonical = (origin: string, pathname: string): string =>
  origin +
  pathname.replace(/%[0-9a-f]{2}/gi, (escaped) => escaped.toUpperCase()).replace(/(?<!\/)\/+$/, "");

/** The canonical URL, with and without its port, because Azure's management SDK leaves that out of audiences. */
export function canonicalUrls(url: URL, pathname = url.pathname): string[] {
  const { origin, port, protocol, hostname } = url;
  const own = canonical(origin, pathname);
  return port === "" ? [own] : [own, canonical(`${protocol}//${hostname}`, pathname)];
}

/**
 * The keys that may have signed the token. A `kid` of `tenant:<name>` selects the keys derived for that tenant, so that
 * the service of one tenant cannot act for another.
 */
async function candidatesFor(
  token: string,
  keys: readonly AccessKey[],
): Promise<readonly AccessKey[]> {
  const tenant = tenantOf(kidOf(token));
  return tenant === undefined ? keys : Promise.all(keys.map((key) => key.ofTenant(tenant)));
}

function kidOf(token: string): string {
  try {
    return decodeProtectedHeader(token).kid ?? "";
  } catch {
    throw new Refusal("token_malformed");
  }
}

/** Prefix of the `kid` of a derived key; the tenant's name follows, URI-encoded. */
const TENANT_KID = "tenant:";

const tenantOf = (kid: string): string | undefined => {
  if (!kid.startsWith(TENANT_KID)) return undefined;
  try {
    return decodeURIComponent(kid.slice(TENANT_KID.length));
  } catch {
    throw new Refusal("token_malformed");
  }
};

/** The derived access key of one tenant, for its service to sign with. Undefined if no keys are configured. */
export async function tenantAccessKey(tenant: string, env: AuthEnv) {
  const [first] = readAccessKeys(env);
  if (first === undefined) return undefined;
  return {
    AccessKey: (await first.ofTenant(tenant)).text,
    KeyId: `${TENANT_KID}${encodeURIComponent(tenant)}`,
  };
}

/** HMAC-SHA-256 of the tenant's name under the shared key. A change here invalidates every derived key. */
async function tenantKey(key: string, tenant: string): Promise<string> {
  const imported = await crypto.subtle.importKey("raw", bytesOf(key), HMAC, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", imported, bytesOf(`dormouse tenant key\n${tenant}`));
  return new Uint8Array(mac).toBase64();
}

/** Signs a token with which a client of this tenant connects. Undefined if no keys are configured. */
export async function signClientToken(
  claims: JWTPayload,
  { tenant, seconds }: { tenant: string; seconds: number },
  env: AuthEnv,
): Promise<string | undefined> {
  const key = await tenantAccessKey(tenant, env);
  return (
    key &&
    new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", typ: "JWT", kid: key.KeyId })
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
      .sign(bytesOf(key.AccessKey))
  );
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
