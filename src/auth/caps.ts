// Reads the claim `caps`, in Centrifugo's form but without `match: "regex"`: a token's pattern could be arbitrarily
// expensive to match.

import { isJsonObject } from "../protocols/json.ts";
import { canonicalTopic } from "../model/topic.ts";
import type { Capability, Right } from "../model/user.ts";
import { refuseClaim } from "./auth-refusal.ts";

const MAX_CAPS = 100;
const MAX_CHANNELS = 100;
/** In UTF-16 units; longer than any topic, which has its kind, a colon and 128 units at most. */
const MAX_PATTERN_LENGTH = 256;
const RIGHTS: ReadonlySet<unknown> = new Set<Right>(["sub", "pub", "prs", "hst"]);

/**
 * The capabilities of a token: rights in addition to those by the hub's policies. Absent: none. Throws
 * `token_claim_invalid` for anything unknown, because an issuer would not notice a right that is silently dropped.
 */
export function readCaps(value: unknown = []): Capability[] {
  return readList(value, MAX_CAPS, readCap);
}

function readCap(value: unknown): Capability {
  if (!isJsonObject(value)) return refuseClaim("caps");
  const { channels, match, allow } = value;
  if (match !== undefined && match !== "wildcard") refuseClaim("caps");
  return {
    channels: readList(channels, MAX_CHANNELS, match === undefined ? readTopic : readPattern),
    allow: readList(allow, RIGHTS.size, readRight),
    ...(match === "wildcard" && { match }),
  };
}

/** Reads a topic, in its canonical form. Text that is not a topic would never match. */
function readTopic(value: unknown): string {
  try {
    return canonicalTopic(typeof value === "string" ? value : refuseClaim("caps"));
  } catch {
    return refuseClaim("caps");
  }
}

/** Reads a pattern, normalised to NFC like topics: in another form it would never match. */
function readPattern(value: unknown): string {
  if (typeof value !== "string" || !value.isWellFormed() || value.length > MAX_PATTERN_LENGTH)
    return refuseClaim("caps");
  return value.normalize("NFC");
}

const readRight = (value: unknown): Right =>
  RIGHTS.has(value) ? (value as Right) : refuseClaim("caps");

/** An array of at most `atMost` items, each read by `read`. */
function readList<T>(value: unknown, atMost: number, read: (item: unknown) => T): T[] {
  return Array.isArray(value) && value.length <= atMost ? value.map(read) : refuseClaim("caps");
}
