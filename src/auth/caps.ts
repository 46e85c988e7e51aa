// Reads the claim `caps`, in Centrifugo's form but without `match: "regex"`: its patterns would run with the token's
// choice of cost.

import { isJsonObject } from "../protocols/json.ts";
import { canonicalTopic } from "../model/topic.ts";
import type { Capability, Right } from "../model/user.ts";
import { Refusal } from "./auth-refusal.ts";

const MAX_CAPS = 100;
const MAX_CHANNELS = 100;
/** UTF-16 units; more than any topic has: its kind, a colon and 128 units. */
const MAX_PATTERN_LENGTH = 256;
const RIGHTS: ReadonlySet<unknown> = new Set<Right>(["sub", "pub", "prs", "hst"]);

/**
 * The capabilities of a token, on top of what the hub's policies allow. Absent: none. Throws `token_claim_invalid` for
 * anything unknown: a right that is silently dropped would surprise its issuer.
 */
export function readCaps(value: unknown = []): Capability[] {
  return readList(value, MAX_CAPS, readCap);
}

function readCap(value: unknown): Capability {
  if (!isJsonObject(value)) return refuse();
  const { channels, match, allow } = value;
  if (match !== undefined && match !== "wildcard") refuse();
  return {
    channels: readList(channels, MAX_CHANNELS, match === undefined ? readTopic : readPattern),
    allow: readList(allow, RIGHTS.size, readRight),
    ...(match === "wildcard" && { match }),
  };
}

/** In its canonical form. What is no topic would never match. */
function readTopic(value: unknown): string {
  try {
    return canonicalTopic(typeof value === "string" ? value : refuse());
  } catch {
    return refuse();
  }
}

/** Topics are in NFC, so a pattern in another form would never match. */
function readPattern(value: unknown): string {
  if (typeof value !== "string" || !value.isWellFormed() || value.length > MAX_PATTERN_LENGTH)
    return refuse();
  return value.normalize("NFC");
}

const readRight = (value: unknown): Right => (RIGHTS.has(value) ? (value as Right) : refuse());

/** An array of at most `atMost` items, each read by `read`. */
function readList<T>(value: unknown, atMost: number, read: (item: unknown) => T): T[] {
  return Array.isArray(value) && value.length <= atMost ? value.map(read) : refuse();
}

function refuse(): never {
  throw new Refusal("token_claim_invalid", { claim: "caps" });
}
