// Verified claims → user. A claim of the wrong type or form refuses the whole token with `token_claim_invalid`.

import type { JWTPayload } from "jose";
import { HubError } from "../model/errors.ts";
import { canonicalName, formatTopic, parseTopic } from "../model/topic.ts";
import type { User } from "../model/user.ts";
import { readCaps } from "./caps.ts";
import type { AuthConfig } from "./auth-config.ts";
import { readLimits } from "./claim-limits.ts";
import { Refusal } from "./auth-refusal.ts";

type ClaimNames = Pick<AuthConfig, "userIdClaim" | "tenantClaim">;

/** The user of verified claims. Throws a `Refusal`. */
export function userOf(claims: JWTPayload, names: ClaimNames, leewaySeconds: number): User {
  return {
    id: readUserId(claims, names.userIdClaim),
    tenant: readTenant(claimOf(claims, names.tenantClaim)),
    roles: readRoles(claims),
    claims,
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
const MAX_DATE_MS = 8.64e15;

/** Own properties only: a configured name such as `constructor` must not find what every object inherits. */
const claimOf = (claims: JWTPayload, name: string): unknown =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;

/**
 * The user's id. `nameid` is .NET's name for `sub`, and replaces it only where no other claim is configured. Throws
 * `token_no_subject`.
 */
function readUserId(claims: JWTPayload, userIdClaim?: string): string {
  const { sub, nameid } = claims;
  const subject: unknown = sub === undefined && userIdClaim === undefined ? nameid : sub;
  if (subject === undefined || subject === null || subject === "")
    throw new Refusal("token_no_subject");
  const id = readString(subject);
  return readName(userIdClaim === undefined ? id : claimOf(claims, userIdClaim));
}

const readTenant = (value: unknown): string =>
  value === undefined ? DEFAULT_TENANT : readName(value);

function readName(value: unknown): string {
  return validClaim(() => canonicalName(readString(value)));
}

/** The claims `role` (.NET's) and `roles` together, without repetitions. */
export const readRoles = ({ role, roles }: JWTPayload): string[] => [
  ...new Set([...readStrings(role), ...readStrings(roles)]),
];

/** A string counts as an array of one: JWT libraries write either. */
function readStrings(value: unknown): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map(readString) : [readString(value)];
}

function readString(value: unknown): string {
  if (typeof value !== "string") throw new Refusal("token_claim_invalid");
  return value;
}

/** The topics to join at connect. `all` is refused: it is no room that clients join. */
export function readChannels(value: unknown = []): string[] {
  if (!Array.isArray(value) || value.length > MAX_CHANNELS)
    throw new Refusal("token_claim_invalid");
  const topics = value.map((text) => validClaim(() => parseTopic(readString(text))));
  if (topics.some(({ kind }) => kind === "all")) throw new Refusal("token_claim_invalid");
  return [...new Set(topics.map(formatTopic))];
}

/** Milliseconds since 1970, leeway included. Throws `token_claim_invalid` for a time that no `Date` has. */
export function readExpiry(exp: unknown, leewaySeconds: number): number {
  const expiresAt = (Number(exp) + leewaySeconds) * 1000;
  if (!(expiresAt <= MAX_DATE_MS)) throw new Refusal("token_claim_invalid");
  return expiresAt;
}

/** Turns the model's errors about names and topics into `token_claim_invalid`. */
function validClaim<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof HubError ? new Refusal("token_claim_invalid") : error;
  }
}
