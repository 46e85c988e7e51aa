// Turns the claims of a verified token into a user. A claim of the wrong type or form refuses the whole token.

import type { JWTPayload } from "jose";
import { HubError } from "../model/errors.ts";
import { canonicalName, formatTopic, parseTopic } from "../model/topic.ts";
import type { User } from "../model/user.ts";
import { readCaps } from "./caps.ts";
import type { AuthConfig } from "./auth-config.ts";
import { readLimits } from "./claim-limits.ts";
import { Refusal } from "./auth-refusal.ts";

type Names = Pick<AuthConfig, "userIdClaim" | "tenantClaim">;

export function userOf(claims: JWTPayload, names: Names, leewaySeconds: number): User {
  const limits = readLimits(claims["limits"]);
  return {
    id: readUserId(claims, names.userIdClaim),
    tenant: readTenant(claimOf(claims, names.tenantClaim)),
    roles: readRoles(claims),
    claims,
    caps: readCaps(claims.caps),
    channels: readChannels(claims.channels),
    ...(limits && { limits }),
    expiresAt: readExpiry(claims.exp, leewaySeconds),
  };
}

export const DEFAULT_TENANT = "default";
const MAX_CHANNELS = 100;
/** The last moment a `Date` can name: beyond it alarms throw. JSON's `1e999` is infinite and never over. */
const LAST_MS = 8.64e15;

/** Claim names are configured: one such as `constructor` must not find what every object has. */
const claimOf = (claims: JWTPayload, name: string): unknown =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;

/** `nameid` is what .NET calls `sub`, and stands in for it only where no other claim was asked for. */
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
  return valid(() => canonicalName(readString(value)));
}

export const readRoles = ({ role, roles }: JWTPayload): string[] => [
  ...new Set([...readStrings(role), ...readStrings(roles)]),
];

/** A string stands for an array of one; JWT libraries write either. */
function readStrings(value: unknown): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map(readString) : [readString(value)];
}

function readString(value: unknown): string {
  if (typeof value !== "string") throw new Refusal("token_claim_invalid");
  return value;
}

/** Nobody joins `all`, so it is no channel. */
export function readChannels(value: unknown = []): string[] {
  if (!Array.isArray(value) || value.length > MAX_CHANNELS)
    throw new Refusal("token_claim_invalid");
  const topics = value.map((text) => valid(() => parseTopic(readString(text))));
  if (topics.some(({ kind }) => kind === "all")) throw new Refusal("token_claim_invalid");
  return [...new Set(topics.map(formatTopic))];
}

export function readExpiry(exp: unknown, leewaySeconds: number): number {
  const expiresAt = (Number(exp) + leewaySeconds) * 1000;
  if (!(expiresAt <= LAST_MS)) throw new Refusal("token_claim_invalid");
  return expiresAt;
}

/** What the model calls an invalid name or topic is here an invalid claim. */
function valid<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof HubError ? new Refusal("token_claim_invalid") : error;
  }
}
