// Converts verified claims to a user. If a claim has the wrong type or form, the whole token is refused with
// `token_claim_invalid`. A claim is found under its own name, at a path, or under the long name that .NET writes for
// it.

import type { JWTPayload } from "jose";
import { HubError } from "../model/errors.ts";
import { logError } from "../model/logger.ts";
import { canonicalName, formatTopic, parseTopic } from "../model/topic.ts";
import { LONG_ROLE, tokenUserId, type User } from "../model/user.ts";
import { isJsonObject } from "../protocols/json.ts";
import { readCaps } from "./caps.ts";
import { readLimits } from "./claim-limits.ts";
import { Refusal, refuseClaim } from "./auth-refusal.ts";

/**
 * Returns the id of a token's user, like ASP.NET's `IUserIdProvider`. Called at each verification, even of fresh
 * tokens: it must return the same id for the same claims. `claims` are verified, and none is null.
 */
export type UserIdProvider = (
  claims: Readonly<Record<string, unknown>>,
  token: Pick<User, "tenant" | "roles">,
) => string;

/** Which claims of an issuer's tokens name the user, the roles and the tenant: names or paths. */
export interface ClaimNames {
  /** Takes precedence over `userIdClaim`. */
  readonly userId?: UserIdProvider | undefined;
  /** Absent: `sub`, else `nameid`, else .NET's long name. */
  readonly userIdClaim?: string;
  /** Absent: `role`, `roles` and .NET's long name together. */
  readonly rolesClaim?: string;
  readonly tenantClaim: string;
  /** The tenant of all tokens of the issuer, regardless of their claims. */
  readonly tenant?: string;
  /** Whether a token must name its tenant, because the issuer also signs tokens for other companies' customers. */
  readonly requiresTenant?: boolean;
}

/** The user of verified claims, none of which is null. Throws a `Refusal`. */
export function userOf(claims: JWTPayload, names: ClaimNames, leewaySeconds: number): User {
  const tenant = names.tenant ?? readTenant(claims, names.tenantClaim, names.requiresTenant);
  const roles = readRoles(claims, names.rolesClaim);
  const { userId, userIdClaim } = names;
  return {
    id: userId
      ? providedId(() => userId(claims, { tenant, roles }))
      : readUserId(claims, userIdClaim),
    ...{ tenant, roles, claims },
    caps: claims.caps === undefined ? [] : readCaps(claims.caps),
    channels: readChannels(claims.channels),
    ...(claims["limits"] !== undefined && { limits: readLimits(claims["limits"]) }),
    expiresAt: readExpiry(claims.exp, leewaySeconds),
  };
}

export const DEFAULT_TENANT = "default";
const MAX_CHANNELS = 100;
/**
 * The latest time of a `Date`, in milliseconds; alarms throw beyond it. (JSON's `1e999` is read as infinity, and would
 * never expire.)
 */
export const MAX_DATE_MS = 8.64e15;

interface Found {
  readonly name: string;
  readonly value: unknown;
}

/** The first of these claims that is present. */
function findClaim(claims: JWTPayload, names: readonly string[]): Found | undefined {
  for (const name of names) {
    const value = claimAt(claims, name);
    if (value !== undefined) return { name, value };
  }
  return undefined;
}

/** Throws `token_no_subject`, or `token_claim_invalid` if a configured claim is absent, or has the id of guests. */
function readUserId(claims: JWTPayload, userIdClaim?: string): string {
  const isDefault = userIdClaim === undefined;
  const found = findClaim(claims, isDefault ? USER_ID_NAMES : namesOf(userIdClaim));
  if (isDefault && (!found || found.value === ""))
    throw new Refusal("token_no_subject", { claim: found?.name ?? "sub" });
  return found ? readId(found) : refuseClaim(userIdClaim ?? "sub");
}

/** Reads an id. Refuses the names of accounts of guests. */
const readId = (found: Found): string => readName(found, tokenUserId);

/** The id that the application's function returns. Throws `token_user_id_invalid`, whatever the function throws. */
function providedId(provide: () => unknown): string {
  try {
    return readId({ name: "userId", value: provide() });
  } catch (error) {
    if (!(error instanceof Refusal)) logError("user_id_failed", { error });
    throw new Refusal("token_user_id_invalid");
  }
}

/** The tenant in the claims; the default tenant if there is none, unless it is required. */
export function readTenant(claims: JWTPayload, tenantClaim: string, isRequired = false): string {
  const found = findClaim(claims, namesOf(tenantClaim));
  if (!found && isRequired) refuseClaim(tenantClaim);
  return found ? readName(found) : DEFAULT_TENANT;
}

/**
 * The tenant of a token that is signed with a shared access key: in the issuer's claim, else in `tid`, where `backend`
 * names it whatever claim the issuer uses.
 */
export const keyTenant = (claims: JWTPayload, tenantClaim: string): string =>
  readTenant(claims, findClaim(claims, namesOf(tenantClaim)) ? tenantClaim : "tid");

function readName({ name, value }: Found, canonical = canonicalName): string {
  return validClaim(name, () => canonical(readText(name, value)));
}

/**
 * The roles of the configured claim and its other names, or of .NET's three claims; without repetitions. The text of a
 * configured claim that is not one of .NET's is split at blanks, like OAuth scopes.
 */
export function readRoles(claims: JWTPayload, rolesClaim?: string): string[] {
  const names = rolesClaim === undefined ? ROLE_NAMES : namesOf(rolesClaim);
  return [...new Set(names.flatMap((name) => readTexts(name, claimAt(claims, name))))];
}

/** A text or a number is read like an array with one element: JWT libraries write either. */
function readTexts(name: string, value: unknown): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.map((item) => readText(name, item));
  const text = readText(name, value);
  return ROLE_NAMES.includes(name) ? [text] : text.split(" ").filter((part) => part !== "");
}

/**
 * Text, or a whole number as decimal text, as in .NET. Numbers beyond 2⁵³ are refused: they were rounded when the JSON
 * was parsed, so that two users would share an id.
 */
export function readText(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  return Number.isSafeInteger(value) ? String(value) : refuseClaim(name);
}

/** The topics to join at connect. `all` is refused, because clients cannot join it. */
export function readChannels(value: unknown = []): string[] {
  if (!Array.isArray(value) || value.length > MAX_CHANNELS) return refuseClaim("channels");
  const topics = value.map((text) =>
    typeof text === "string"
      ? validClaim("channels", () => parseTopic(text))
      : refuseClaim("channels"),
  );
  if (topics.some(({ kind }) => kind === "all")) refuseClaim("channels");
  return [...new Set(topics.map(formatTopic))];
}

/** In milliseconds since 1970, leeway included. Throws `token_claim_invalid` for a time beyond the range of `Date`. */
export function readExpiry(exp: unknown, leewaySeconds: number): number {
  const expiresAt = (Number(exp) + leewaySeconds) * 1000;
  return expiresAt <= MAX_DATE_MS ? expiresAt : refuseClaim("exp");
}

/** Turns the model's errors about names and topics into `token_claim_invalid`. */
function validClaim<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof HubError && !(error instanceof Refusal)) refuseClaim(name);
    throw error;
  }
}

const XML_SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";

/** .NET's `ClaimTypes` (docs/design/rest-and-tokens.md#to9). */
const NAME_IDENTIFIER = `${XML_SOAP}/nameidentifier`;
const NAME = `${XML_SOAP}/name`;

/** The short names that .NET maps to long ones: `DefaultInboundClaimTypeMap` of both its handlers. */
const LONG_NAMES: ReadonlyMap<string, string> = new Map([
  ["sub", NAME_IDENTIFIER],
  ["nameid", NAME_IDENTIFIER],
  ["unique_name", NAME],
  ["email", `${XML_SOAP}/emailaddress`],
  ["upn", `${XML_SOAP}/upn`],
  ["role", LONG_ROLE],
  ["roles", LONG_ROLE],
  ["tid", "http://schemas.microsoft.com/identity/claims/tenantid"],
  ["oid", "http://schemas.microsoft.com/identity/claims/objectidentifier"],
]);

/** The claims with the user's id, in order of precedence, if none is configured. */
export const USER_ID_NAMES: readonly string[] = ["sub", "nameid", NAME_IDENTIFIER];

/** The claims with roles if none is configured. Each text is one role, even with blanks. */
export const ROLE_NAMES: readonly string[] = ["role", "roles", LONG_ROLE];

/**
 * All names under which a configured claim is looked up: first its own, then the long name of a short one, or the short
 * names of a long one. Not `name` for its long name: that is a display name, which .NET does not map either.
 */
export function namesOf(configured: string): readonly string[] {
  const long = configured === "name" ? NAME : LONG_NAMES.get(configured);
  if (long !== undefined) return [configured, long];
  const shorts = [...LONG_NAMES].filter(([, name]) => name === configured);
  return [configured, ...shorts.map(([short]) => short)];
}

/**
 * The value at a path such as `realm_access.roles`; undefined if it is absent or null. A name may itself contain dots
 * (`https://example.com/roles`), so that the longest name is tried first. Inherited properties are never found.
 */
export function claimAt(claims: unknown, path: string): unknown {
  if (!isJsonObject(claims)) return undefined;
  const own = ownValue(claims, path);
  if (own !== undefined) return own;
  for (let dot = path.lastIndexOf("."); dot > 0; dot = path.lastIndexOf(".", dot - 1)) {
    const value = claimAt(ownValue(claims, path.slice(0, dot)), path.slice(dot + 1));
    if (value !== undefined) return value;
  }
  return undefined;
}

const ownValue = (claims: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(claims, name) ? (claims[name] ?? undefined) : undefined;
