// Verified claims → user. A claim of the wrong type or form refuses the whole token with `token_claim_invalid`. A claim
// is found under its own name, at a path, or under the long name that .NET writes for it.

import type { JWTPayload } from "jose";
import { HubError } from "../model/errors.ts";
import { logError } from "../model/logger.ts";
import { canonicalName, formatTopic, parseTopic } from "../model/topic.ts";
import { LONG_ROLE, tokenUserId, type User } from "../model/user.ts";
import { isJsonObject } from "../protocols/json.ts";
import { readCaps } from "./caps.ts";
import { readLimits } from "./claim-limits.ts";
import { Refusal } from "./auth-refusal.ts";

/**
 * The id of a token's user, as ASP.NET's `IUserIdProvider`. Called at each verification, also of fresh tokens: the same
 * claims must give the same id. `claims` are verified, and none is null.
 */
export type UserIdProvider = (
  claims: Readonly<Record<string, unknown>>,
  token: Pick<User, "tenant" | "roles">,
) => string;

/** Which claims of an issuer's tokens name the user, the roles and the tenant: names or paths. */
export interface ClaimNames {
  /** Counts before `userIdClaim`. */
  readonly userId?: UserIdProvider | undefined;
  /** Absent: `sub`, else `nameid`, else .NET's long name. */
  readonly userIdClaim?: string;
  /** Absent: `role`, `roles` and .NET's long name together. */
  readonly rolesClaim?: string;
  readonly tenantClaim: string;
  /** The tenant of all tokens of the issuer, whatever they claim. */
  readonly tenant?: string;
  /** Whether a token must name its tenant, because the issuer signs for the customers of others as well. */
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
 * The latest time of a `Date`, in milliseconds; alarms throw beyond it. JSON's `1e999` reads as infinity, and would
 * never expire.
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

/** Throws `token_no_subject`, or `token_claim_invalid` where a configured claim is absent, or names guests. */
function readUserId(claims: JWTPayload, userIdClaim?: string): string {
  const isDefault = userIdClaim === undefined;
  const found = findClaim(claims, isDefault ? USER_ID_NAMES : namesOf(userIdClaim));
  if (isDefault && (!found || found.value === ""))
    throw new Refusal("token_no_subject", { claim: found?.name ?? "sub" });
  return found ? readId(found) : refuse(userIdClaim ?? "sub");
}

/** A name that is not the account of a network's guests. */
const readId = (found: Found): string => readName(found, tokenUserId);

/** The id that the application's own function gives. Throws `token_user_id_invalid`, whatever the function throws. */
function providedId(provide: () => unknown): string {
  try {
    return readId({ name: "userId", value: provide() });
  } catch (error) {
    if (!(error instanceof Refusal)) logError("user_id_failed", { error });
    throw new Refusal("token_user_id_invalid");
  }
}

/** The tenant that the claims name; the default tenant where they name none, unless they must. */
export function readTenant(claims: JWTPayload, tenantClaim: string, isRequired = false): string {
  const found = findClaim(claims, namesOf(tenantClaim));
  if (!found && isRequired) refuse(tenantClaim);
  return found ? readName(found) : DEFAULT_TENANT;
}

function readName({ name, value }: Found, canonical = canonicalName): string {
  return validClaim(name, () => canonical(readText(name, value)));
}

/**
 * The roles of the configured claim and its other names, or of .NET's three claims; without repetitions. The text of a
 * configured claim that is none of .NET's is split at blanks, as the scopes of OAuth are.
 */
export function readRoles(claims: JWTPayload, rolesClaim?: string): string[] {
  const names = rolesClaim === undefined ? ROLE_NAMES : namesOf(rolesClaim);
  return [...new Set(names.flatMap((name) => readTexts(name, claimAt(claims, name))))];
}

/** A text or a number counts as an array of one: JWT libraries write either. */
function readTexts(name: string, value: unknown): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.map((item) => readText(name, item));
  const text = readText(name, value);
  return ROLE_NAMES.includes(name) ? [text] : text.split(" ").filter((part) => part !== "");
}

/**
 * Text, or a whole number as its decimal text, as in .NET. Beyond 2⁵³ numbers are refused: reading has rounded them,
 * and two users would share an id.
 */
export function readText(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  return Number.isSafeInteger(value) ? String(value) : refuse(name);
}

/** The topics to join at connect. `all` is refused: it is no room that clients join. */
export function readChannels(value: unknown = []): string[] {
  if (!Array.isArray(value) || value.length > MAX_CHANNELS) return refuse("channels");
  const topics = value.map((text) =>
    typeof text === "string" ? validClaim("channels", () => parseTopic(text)) : refuse("channels"),
  );
  if (topics.some(({ kind }) => kind === "all")) refuse("channels");
  return [...new Set(topics.map(formatTopic))];
}

/** Milliseconds since 1970, leeway included. Throws `token_claim_invalid` for a time that no `Date` has. */
export function readExpiry(exp: unknown, leewaySeconds: number): number {
  const expiresAt = (Number(exp) + leewaySeconds) * 1000;
  return expiresAt <= MAX_DATE_MS ? expiresAt : refuse("exp");
}

/** Turns the model's errors about names and topics into `token_claim_invalid`. */
function validClaim<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof HubError && !(error instanceof Refusal)) refuse(name);
    throw error;
  }
}

function refuse(claim: string): never {
  throw new Refusal("token_claim_invalid", { claim });
}

const XML_SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";

/** .NET's `ClaimTypes` (docs/design/rest-and-tokens.md#to9). */
const NAME_IDENTIFIER = `${XML_SOAP}/nameidentifier`;
const NAME = `${XML_SOAP}/name`;

/** The short names that .NET reads as a long one: `DefaultInboundClaimTypeMap` of both its handlers. */
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

/** The claims with the user's id, in order of precedence, where none is configured. */
export const USER_ID_NAMES: readonly string[] = ["sub", "nameid", NAME_IDENTIFIER];

/** The claims with roles where none is configured. Their texts are one role each, blanks included. */
export const ROLE_NAMES: readonly string[] = ["role", "roles", LONG_ROLE];

/**
 * All names under which a configured claim is looked up: first itself, then the long name of a short one, or the short
 * names of a long one. Not `name` for its long name: that is a display name, which .NET does not map either.
 */
export function namesOf(configured: string): readonly string[] {
  const long = configured === "name" ? NAME : LONG_NAMES.get(configured);
  if (long !== undefined) return [configured, long];
  const shorts = [...LONG_NAMES].filter(([, name]) => name === configured);
  return [configured, ...shorts.map(([short]) => short)];
}

/**
 * The value at a path such as `realm_access.roles`; undefined where it is absent or null. A name may itself have dots
 * (`https://example.com/roles`), so the longest own name is tried first. Inherited properties are never found.
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
