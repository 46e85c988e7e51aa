// The issuers whose tokens are accepted: their settings, from the variables `JWT_…` or from the JSON of `JWT_ISSUERS`,
// and the lookup of the issuer that a token names.

import { isJsonObject, parseJson } from "../protocols/json.ts";
import { MIN_HMAC_KEY_BYTES, secureUrl, textOf } from "../model/environment.ts";
import { canonicalName } from "../model/topic.ts";
import type { ClaimNames } from "./claims.ts";
import type { CryptoKey, JWTHeaderParameters } from "jose";
import { remoteKeys, type KeySource } from "./keys.ts";

export interface Issuer extends ClaimNames {
  /** The required `iss`. In it, `{tenantid}` is replaced by the token's `tid` (Microsoft Entra ID). */
  readonly issuer: string;
  /** A token must name one of these in `audienceClaim`. */
  readonly audiences: readonly string[];
  readonly audienceClaim: string;
  readonly keys: KeySource;
}

/** Stands for the id of a directory in the issuer of a multi-tenant application of Entra ID. */
export const TENANT_ID = "{tenantid}";
const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The issuer that a payload names. The signature is not verified yet: use it only to select the keys. */
export function issuerOf(
  { iss, tid }: Readonly<Record<string, unknown>>,
  issuers: readonly Issuer[],
): Issuer | undefined {
  return (
    issuers.find(({ issuer }) => issuer === iss && !issuer.includes(TENANT_ID)) ??
    issuers.find(
      ({ issuer }) =>
        typeof tid === "string" &&
        GUID.test(tid) &&
        issuer.includes(TENANT_ID) &&
        issuer.replace(TENANT_ID, tid) === iss,
    )
  );
}

/** The settings of one issuer, as in an object of `JWT_ISSUERS`. Not checked yet: the values may be anything. */
export type IssuerSettings = Readonly<Partial<Record<Member, unknown>>>;

type Member = (typeof MEMBERS)[number];

const MEMBERS = [
  ...(["issuer", "audience", "jwks", "secret", "tenant"] as const),
  ...(["userIdClaim", "rolesClaim", "tenantClaim", "audienceClaim"] as const),
];

/** How problems are written: each a sentence that names settings, never their values. */
export interface Report {
  readonly problems: string[];
  /** The name of a setting, as the operator writes it. */
  nameOf(member: Member): string;
}

/** One issuer. Undefined if it has problems, which are all reported. */
export function readIssuer(settings: IssuerSettings, report: Report): Issuer | undefined {
  const { problems, nameOf } = report;
  const before = problems.length;
  for (const member of MEMBERS)
    if (!isSetting(member, settings[member])) problems.push(`${nameOf(member)} is not a string.`);
  const issuer = textOf(settings.issuer);
  const audiences = [settings.audience ?? []].flat().map(textOf).filter(isPresent);
  if (!issuer) problems.push(`${nameOf("issuer")} is missing.`);
  if (audiences.length === 0) problems.push(`${nameOf("audience")} is missing.`);
  const keys = readKeys(settings, report);
  const tenant = readTenantSetting(settings, report);
  if (problems.length > before || !issuer || !keys) return undefined;
  const names = claimNames(settings);
  return {
    ...{ issuer, audiences, keys, ...names, requiresTenant: issuer.includes(TENANT_ID) },
    ...(tenant !== undefined && { tenant }),
  };
}

/** Refuses a fixed tenant together with `{tenantid}`: all customers of Microsoft would share it. */
function readTenantSetting(settings: IssuerSettings, { problems, nameOf }: Report) {
  const tenant = textOf(settings.tenant);
  if (tenant === undefined) return undefined;
  if (textOf(settings.issuer)?.includes(TENANT_ID))
    problems.push(`${nameOf("tenant")} is set, though the issuer has ${TENANT_ID}.`);
  try {
    return canonicalName(tenant);
  } catch {
    problems.push(`${nameOf("tenant")} is no name of a tenant.`);
    return undefined;
  }
}

function claimNames(settings: IssuerSettings) {
  const [userIdClaim, rolesClaim] = [textOf(settings.userIdClaim), textOf(settings.rolesClaim)];
  return {
    ...(userIdClaim !== undefined && { userIdClaim }),
    ...(rolesClaim !== undefined && { rolesClaim }),
    tenantClaim: textOf(settings.tenantClaim) ?? "tid",
    audienceClaim: textOf(settings.audienceClaim) ?? "aud",
  };
}

/** Whether a value is valid: absent, text, or for audiences a list of texts. */
const isSetting = (member: Member, value: unknown): boolean =>
  value === undefined ||
  typeof value === "string" ||
  (member === "audience" && Array.isArray(value) && value.every((one) => typeof one === "string"));

const isPresent = <T>(value: T | undefined): value is T => value !== undefined;

/** The source of verification keys. Both settings at once are refused: it would be unclear which one counts. */
function readKeys({ secret, jwks }: IssuerSettings, report: Report): KeySource | undefined {
  const { problems, nameOf } = report;
  const [shared, url] = [textOf(secret), textOf(jwks)];
  if (shared !== undefined && url !== undefined)
    problems.push(`${nameOf("secret")} and ${nameOf("jwks")} are both set.`);
  else if (shared !== undefined) return readSecret(shared, report);
  else if (url !== undefined) return readKeysUrl(url, report);
  else
    problems.push(
      `${nameOf("secret")} is missing, and so is ${nameOf("jwks")}; one of them is needed.`,
    );
  return undefined;
}

function readSecret(secret: string, { problems, nameOf }: Report): KeySource {
  const bytes = new TextEncoder().encode(secret);
  if (bytes.length < MIN_HMAC_KEY_BYTES)
    problems.push(`${nameOf("secret")} is under ${MIN_HMAC_KEY_BYTES} bytes.`);
  return secretKey(bytes);
}

function readKeysUrl(text: string, { problems, nameOf }: Report): KeySource | undefined {
  const url = secureUrl(text);
  if (typeof url !== "string") return remoteKeys(url.href, nameOf("jwks"));
  problems.push(`${nameOf("jwks")} ${url}`);
  return undefined;
}

/** The name of a member of an object of `JWT_ISSUERS`. */
const nameAt = (at: number, member: string): string => `JWT_ISSUERS[${at}].${member}`;

/** The URLs of key sets in the text of `JWT_ISSUERS`, by their names. Objects that are none are left out. */
export function keySetUrls(text: string): readonly (readonly [name: string, url: string])[] {
  const list = parseJson(text);
  return (Array.isArray(list) ? list : []).flatMap((settings, at) => {
    const url = isJsonObject(settings) ? textOf(settings["jwks"]) : undefined;
    return url === undefined ? [] : [[nameAt(at, "jwks"), url] as const];
  });
}

/** The issuers of `JWT_ISSUERS`: a JSON array of objects. `defaults` are the names of claims set for all issuers. */
export function readIssuers(
  text: string,
  defaults: IssuerSettings,
  problems: string[],
): (Issuer | undefined)[] {
  const list = parseJson(text);
  if (!Array.isArray(list) || list.length === 0 || !list.every(isJsonObject)) {
    problems.push("JWT_ISSUERS is not a JSON array of objects.");
    return [];
  }
  return list.map((settings, at) => {
    const nameOf = (member: string) => nameAt(at, member);
    const unknown = Object.keys(settings).filter((name) => !MEMBERS.includes(name as Member));
    if (unknown.length > 0) problems.push(`${nameOf(unknown[0]!)} is not a setting.`);
    return readIssuer({ ...defaults, ...settings }, { problems, nameOf });
  });
}

/**
 * A shared secret: HS256, and also HS384 and HS512 if it is as long as their hashes (RFC 7518 §3.2), as in .NET. It is
 * imported at the first token, because jose would import raw bytes again for every token.
 */
function secretKey(bytes: Uint8Array): KeySource {
  const keys = new Map<string, CryptoKey>();
  const find = async ({ alg }: JWTHeaderParameters) => {
    const hmac = { name: "HMAC", hash: `SHA-${alg.slice(2)}` };
    const key =
      keys.get(alg) ?? (await crypto.subtle.importKey("raw", bytes, hmac, false, ["verify"]));
    keys.set(alg, key);
    return key;
  };
  const bits = [256, 384, 512].filter((hash) => hash === 256 || bytes.length * 8 >= hash);
  return { algorithms: bits.map((hash) => `HS${hash}`), find, goodUntil: () => Infinity };
}
