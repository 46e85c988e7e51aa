// Tokens that a back end signs by itself with a key it shares with this server, as the SDKs of Azure SignalR do: HS256,
// with the request's own URL as audience.

import { decodeProtectedHeader, jwtVerify, SignJWT, type JWTPayload } from "jose";
import { misconfigured, type AuthEnv } from "./auth-config.ts";
import { checkForm, LEEWAY_SECONDS, reasonOf } from "./jwt.ts";
import { Refusal } from "./auth-refusal.ts";

/** Two for a change of keys; the first one signs. */
const KEYS_AT_MOST = 2;
const KEY_BYTES = 32;

/** `ACCESS_KEYS`, with a comma between two. Refuses with `misconfigured` where one is too short. */
export function readAccessKeys({ ACCESS_KEYS }: AuthEnv): readonly string[] {
  const keys = (ACCESS_KEYS ?? "").split(",").map((key) => key.trim());
  const given = keys.filter((key) => key !== "");
  if (given.length > KEYS_AT_MOST) misconfigured(`ACCESS_KEYS has over ${KEYS_AT_MOST} keys.`);
  if (given.some((key) => bytesOf(key).length < KEY_BYTES))
    misconfigured(`ACCESS_KEYS has a key of under ${KEY_BYTES} bytes.`);
  return given;
}

export interface Signed {
  readonly claims: JWTPayload;
  /** The tenant the key is of; absent where the key is of all. */
  readonly tenant?: string;
  /** Which key: safe to log. */
  readonly key: string;
}

/** What a token has to be for. */
export interface Audience {
  readonly url: string;
  /** How a token's own audience is written to be compared. */
  canonical(audience: string): string;
}

/** What a token for this audience says. Throws a `Refusal`; `token_unknown_key` where there are no keys. */
export async function verifySigned(
  token: string,
  audience: Audience,
  env: AuthEnv,
  nowMs: number,
): Promise<Signed> {
  checkForm(token);
  const candidates = await candidatesFor(token, readAccessKeys(env));
  let refusal = new Refusal("token_unknown_key");
  for (const { bytes, ...of } of candidates) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the second key is for what the first did not sign
      return { ...of, claims: await verified(token, bytes, audience, nowMs) };
    } catch (error) {
      refusal = error instanceof Refusal ? error : new Refusal(reasonOf(error));
      if (refusal.code !== "token_bad_signature") throw refusal;
    }
  }
  throw refusal;
}

async function verified(token: string, key: Uint8Array, audience: Audience, nowMs: number) {
  const { payload } = await jwtVerify(token, key, {
    algorithms: ["HS256"],
    clockTolerance: LEEWAY_SECONDS,
    currentDate: new Date(nowMs),
    requiredClaims: ["exp"],
  });
  const audiences = [payload.aud ?? []].flat();
  if (!audiences.some((one) => audience.canonical(one) === audience.url))
    throw new Refusal("token_wrong_audience");
  return payload;
}

/**
 * A URL as audiences are compared: without query, case, default port and slash at its end. Azure's documents sign
 * without the query, its management SDK with it.
 */
export function canonicalUrl(text: string): string {
  if (!URL.canParse(text)) return "";
  const { origin, pathname } = new URL(text);
  return `${origin}${pathname}`.toLowerCase().replace(/\/+$/, "");
}

interface Candidate {
  readonly bytes: Uint8Array;
  readonly key: string;
  readonly tenant?: string;
}

/** Keys of one tenant are made from ours, and name it: so a service of a tenant cannot speak for another. */
async function candidatesFor(token: string, keys: readonly string[]): Promise<Candidate[]> {
  const tenant = tenantOf(kidOf(token));
  if (tenant === undefined)
    return keys.map((key, index) => ({ bytes: bytesOf(key), key: `key${index + 1}` }));
  const derived = keys.map(async (key, index) => {
    const bytes = bytesOf(await tenantKey(key, tenant));
    return { bytes, key: `key${index + 1}`, tenant };
  });
  return Promise.all(derived);
}

function kidOf(token: string): string {
  try {
    return decodeProtectedHeader(token).kid ?? "";
  } catch {
    throw new Refusal("token_malformed");
  }
}

const TENANT_KID = "tenant:";

const tenantOf = (kid: string): string | undefined => {
  if (!kid.startsWith(TENANT_KID)) return undefined;
  try {
    return decodeURIComponent(kid.slice(TENANT_KID.length));
  } catch {
    throw new Refusal("token_malformed");
  }
};

/** The key and its id for a service of one tenant. */
export async function keyFor(tenant: string, env: AuthEnv) {
  const [first] = readAccessKeys(env);
  if (first === undefined) return undefined;
  return {
    AccessKey: await tenantKey(first, tenant),
    KeyId: `${TENANT_KID}${encodeURIComponent(tenant)}`,
  };
}

async function tenantKey(key: string, tenant: string): Promise<string> {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", bytesOf(key), hmac, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", imported, bytesOf(`dormouse tenant key\n${tenant}`));
  return new Uint8Array(mac).toBase64();
}

/** Signs what a client of this tenant shall connect with. */
export async function sign(
  claims: JWTPayload,
  { tenant, seconds }: { tenant: string; seconds: number },
  env: AuthEnv,
): Promise<string | undefined> {
  const key = await keyFor(tenant, env);
  return (
    key &&
    new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", typ: "JWT", kid: key.KeyId })
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
      .sign(bytesOf(key.AccessKey))
  );
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(new TextEncoder().encode(text));
