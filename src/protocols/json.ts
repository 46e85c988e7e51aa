// JSON text both ways. Inbound: checks of size, depth and the key `__proto__` before the text is interpreted, linear and
// without exceptions; then values. Outbound: values of user code as text, for arguments of publications and for results.

import { HubError } from "../model/errors.ts";
import type { Params, Path } from "../model/message.ts";

/**
 * `too_large` for over `limit` bytes of UTF-8, as on the wire. A UTF-16 unit is one to three bytes, so most frames need
 * no counting.
 */
export function sizeError(text: string, limit: number): HubError | undefined {
  if (text.length * 3 <= limit) return undefined;
  if (text.length > limit) return tooLarge(`${grouped(text.length)} characters`, limit);
  const bytes = new TextEncoder().encode(text).length;
  return bytes > limit ? tooLarge(`${grouped(bytes)} bytes`, limit) : undefined;
}

/**
 * `too_deep` for nesting beyond `limit`. `JSON.parse` survives any depth, but encoding or cloning the value fails from
 * about 10,000, so text is checked before a value exists. Malformed JSON may pass: `JSON.parse` refuses it.
 */
export function depthError(text: string, limit: number): HubError | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) at = endOfString(text, at);
    else if (unit === OPEN_ARRAY || unit === OPEN_OBJECT) depth++;
    else if (unit === CLOSE_ARRAY || unit === CLOSE_OBJECT) depth--;
    if (depth > limit) return new HubError("too_deep", `Nested deeper than ${limit} levels.`);
  }
  return undefined;
}

/**
 * Whether the text may contain the key `__proto__`, so that `hasPrototypeKey` must check: the name itself, or an escape
 * of one of its letters (`_` is \u005f; o, p, r and t are \u006f–\u0074).
 */
export const mayHavePrototypeKey = (text: string): boolean =>
  text.includes("__proto__") || (text.includes("\\u00") && /\\u00[567]/.test(text));

/**
 * Whether a parsed value has a key `__proto__` at any depth. `JSON.parse` makes it a harmless own property, but the
 * first `target[key] = value` or `Object.assign` in user code makes it a prototype. No honest client sends it, and
 * dropping it would silently change the message, so it is refused. The depth limit bounds the recursion.
 */
export function hasPrototypeKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.hasOwn(value, "__proto__") || Object.values(value).some(hasPrototypeKey);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The index of the closing quote, or the text's length. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) return at;
    if (unit === BACKSLASH) at++;
  }
  return text.length;
}

const tooLarge = (size: string, limit: number): HubError =>
  new HubError("too_large", `Frame of ${size}; ${grouped(limit)} bytes allowed.`);

/** `70,112`, without Intl: that costs 35 ms once and 0.3 ms per call, which would amplify a flood. */
const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

/** The members of a JSON object, not validated yet. */
export type Members = Readonly<Record<string, unknown>>;

/** The value, or undefined where the text is not JSON. No JSON text means undefined. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // A SyntaxError, the only thing that JSON.parse throws.
  }
}

/** Whether a decoded value is an object with members: no null, no array, and no bytes of MessagePack. */
export const isJsonObject = (value: unknown): value is Members =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array);

/** Whether a value of user code is bytes. */
export const isBytes = (value: unknown): value is Uint8Array | ArrayBuffer =>
  value instanceof Uint8Array || value instanceof ArrayBuffer;

/**
 * `JSON.stringify`, with bytes as base64 (as .NET reads `byte[]`) and `null` for values without JSON. Throws as
 * `JSON.stringify` does on BigInt, cycles and nesting beyond some thousands; callers answer `internal`.
 */
export function toJson(value: unknown): string {
  // A replacer triples the time of every publish (workerd, 150-byte chat: 200 → 700 ns); checking first costs 20 %.
  const text = containsBytes(value) ? JSON.stringify(value, bytesAsBase64) : JSON.stringify(value);
  return (text as string | undefined) ?? "null";
}

/**
 * Arguments as the text of one array. `undefined` becomes `null`, so that later arguments keep their places. Bytes
 * become base64, and their places are listed for binary protocols.
 */
export function encodeParams(args: readonly unknown[]): Params {
  if (!containsBytes(args)) return { params: JSON.stringify(args) };
  return { params: toJson(args), bytes: [...pathsOfBytes(args, [])] };
}

function* pathsOfBytes(value: unknown, at: Path): Iterable<Path> {
  if (isBytes(value)) yield at;
  else if (Array.isArray(value))
    for (const [index, item] of value.entries()) yield* pathsOfBytes(item, [...at, index]);
  else if (typeof value === "object" && value !== null)
    for (const [key, item] of Object.entries(value)) yield* pathsOfBytes(item, [...at, key]);
}

function containsBytes(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (isBytes(value)) return true;
  if (Array.isArray(value)) return value.some(containsBytes);
  for (const key in value) if (containsBytes((value as Record<string, unknown>)[key])) return true;
  return false;
}

/**
 * A replacer of `JSON.stringify`. It reads the holder, since `value` is already the result of `toJSON`, which a Node
 * `Buffer` has.
 */
function bytesAsBase64(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const raw = this[key];
  return isBytes(raw) ? base64(new Uint8Array(raw)) : value;
}

/** In slices: `String.fromCharCode` takes characters as arguments, and the stack is finite. */
function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += 8192)
    binary += String.fromCharCode(...bytes.subarray(start, start + 8192));
  return btoa(binary);
}
