// Describes values of callers in words: only the kind of value, never the value itself, since errors reach logs.

import { StreamRef } from "./message.ts";

/** `string of 3 characters`, `array of 2`, `number`, `nothing`. */
export function receivedKind(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (typeof value === "string") return `string of ${value.length} characters`;
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (value instanceof Uint8Array) return `bytes, ${value.length}`;
  if (value instanceof StreamRef) return "stream";
  return value instanceof Date ? "date" : typeof value;
}

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The most characters of an issue's text. */
const MOST = 500;

/**
 * The first issue of a schema as one sentence: place, path, the expected and the received kind of value. Most libraries
 * name the latter themselves if the type is wrong.
 */
export function issueText(
  place: string,
  issues: readonly Issue[],
  { value, dotted = false }: { readonly value: unknown; readonly dotted?: boolean },
): string {
  const { message, path = [] } = issues[0] ?? { message: "invalid" };
  const keys = path.map((part) => (typeof part === "object" ? part.key : part));
  const names = keys.map(String).join(".");
  const where = names === "" ? place : dotted ? `${place}.${names}` : `${place} (${names})`;
  const received = /\breceived\b/i.test(message)
    ? ""
    : ` (received: ${receivedKind(keys.reduce(memberOf, value))})`;
  return `${where}: ${message}`.slice(0, MOST - received.length) + received;
}

function memberOf(holder: unknown, key: PropertyKey): unknown {
  if (holder instanceof Map) return holder.get(key);
  return typeof holder === "object" && holder !== null && Object.hasOwn(holder, key)
    ? (holder as Record<PropertyKey, unknown>)[key]
    : undefined;
}
