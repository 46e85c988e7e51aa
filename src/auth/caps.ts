// Reads the claim `caps`: Centrifugo's shape, without `match: "regex"`, which would run patterns of the token's choice.

import type { Capability, Right } from "../model/user.ts";
import { Refusal } from "./auth-refusal.ts";

const MAX_CAPS = 100;
const MAX_CHANNELS = 100;
/** Longer than any topic: its kind, a colon and 128 characters. */
const MAX_PATTERN_LENGTH = 256;
const RIGHTS: ReadonlySet<unknown> = new Set<Right>(["sub", "pub", "prs", "hst"]);

/** What the token may do beside what a hub's policies say. Anything not understood refuses the token. */
export function readCaps(value: unknown = []): Capability[] {
  return readList(value, MAX_CAPS, readCap);
}

function readCap(value: unknown): Capability {
  const { channels, match, allow } = readObject(value);
  if (match !== undefined && match !== "wildcard") refuse();
  return {
    channels: readList(channels, MAX_CHANNELS, readPattern),
    allow: readList(allow, RIGHTS.size, readRight),
    ...(match === "wildcard" && { match }),
  };
}

/** In the form topics have, or it would never match. */
function readPattern(value: unknown): string {
  if (typeof value !== "string" || !value.isWellFormed() || value.length > MAX_PATTERN_LENGTH)
    return refuse();
  return value.normalize("NFC");
}

const readRight = (value: unknown): Right => (RIGHTS.has(value) ? (value as Right) : refuse());

function readList<T>(value: unknown, atMost: number, read: (item: unknown) => T): T[] {
  return Array.isArray(value) && value.length <= atMost ? value.map(read) : refuse();
}

function readObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : refuse();
}

function refuse(): never {
  throw new Refusal("token_claim_invalid");
}
