// JSON text both ways. Inbound: checks of size, depth and the key `__proto__` before the text is interpreted, linear
// and without exceptions; then values. Outbound: values of user code as text, for arguments and for results.

import { HubError } from "../model/errors.ts";
import type { Params } from "../model/message.ts";
import { base64, isBytes } from "./bytes.ts";
import { placesIn } from "./places.ts";
import { wireObjects } from "./wire-objects.ts";

/** `too_large` for over `limit` bytes of UTF-8. A UTF-16 unit is one to three: most frames need no counting. */
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
export const depthError = (text: string, limit: number): HubError | undefined =>
  scanJson(text, limit) === "deep" ? tooDeep(limit) : undefined;

export const tooDeep = (limit: number): HubError =>
  new HubError("too_deep", `Nested deeper than ${limit} levels.`);

/**
 * One pass over a text: `deep` for nesting beyond `limit`, else `lossy` if a number may lose digits in `JSON.parse`
 * (sixteen digits and more, or an exponent).
 */
export function scanJson(text: string, limit: number): "deep" | "lossy" | "plain" {
  let [depth, digits, isLossy] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= DIGIT_0 && unit <= DIGIT_9) {
      if (++digits > 15) isLossy = true;
      continue;
    }
    if (unit === QUOTE) at = endOfString(text, at);
    else if (unit === OPEN_ARRAY || unit === OPEN_OBJECT) depth++;
    else if (unit === CLOSE_ARRAY || unit === CLOSE_OBJECT) depth--;
    else if (digits > 0 && (unit | 32) === LETTER_E) isLossy = true;
    if (depth > limit) return "deep";
    if (unit !== POINT) digits = 0;
  }
  return isLossy ? "lossy" : "plain";
}

/**
 * The text up to the end of its first object; the whole text if that has no end. ASP.NET Core reads no further in a
 * record of SignalR.
 */
export function firstObject(text: string): string {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) at = endOfString(text, at);
    else if (unit === OPEN_OBJECT) depth++;
    else if (unit === CLOSE_OBJECT && --depth === 0) return text.slice(0, at + 1);
  }
  return text;
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
const POINT = 0x2e;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const LETTER_E = 0x65;
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
  new HubError("too_large", `Frame of ${size}; ${grouped(limit)} allowed (limits.messageBytes).`);

/** `70,112`, without Intl: that costs 35 ms once and 0.3 ms per call, which would amplify a flood. */
const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

/** The members of a JSON object, not validated yet. */
export type Members = Readonly<Record<string, unknown>>;

/** The value, or undefined if the text is not JSON. No JSON text means undefined. */
export function parseJson(text: string, reviver?: Parameters<typeof JSON.parse>[1]): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch {
    return undefined; // A SyntaxError, the only thing that JSON.parse throws.
  }
}

/** Whether a decoded value is an object with members: not null, not an array, and not bytes of MessagePack. */
export const isJsonObject = (value: unknown): value is Members =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array);

/**
 * `JSON.stringify`, with bytes as base64 (as .NET reads `byte[]`), a `Map` as an object, and `null` for values without
 * JSON. Throws as `JSON.stringify` does on BigInt, cycles and nesting beyond some thousands; callers answer `internal`.
 */
export const toJson = (value: unknown): string => written(value, kindsOf(value), asJson);

/** `toJson` in less code, for pages; slower, because it always uses the replacer. */
export const toJsonInPages = (value: unknown): string => JSON.stringify(value, asJson) ?? "null";

/** `toJson` for values of hub code and logs: a bigint is written with all its digits. */
export const toResultJson = (value: unknown): string => written(value, kindsOf(value), asDigits);

/**
 * `toJson` without a silent change: a bigint is written with all its digits, as .NET writes `long`. Throws a TypeError
 * for NaN and infinities, as .NET does, for a bigint beyond 64 bits, and for the key `__proto__`.
 */
export const toExactJson = (value: unknown): string => written(value, kindsOf(value), asExactJson);

/** A replacer triples the time (workerd, 150-byte chat: 200 → 700 ns); checking whether it is needed costs 20 %. */
function written(value: unknown, kinds: number, replacer: typeof asJson): string {
  const text = (kinds & SPECIAL) !== 0 ? JSON.stringify(value, replacer) : JSON.stringify(value);
  return (text as string | undefined) ?? "null";
}

/**
 * Arguments as the text of one array. `undefined` becomes `null`, so that later arguments keep their places. The places
 * of values that JSON cannot represent are listed for binary protocols. Throws as `toExactJson` and `placesIn`.
 */
export function encodeParams(args: readonly unknown[]): Params {
  const kinds = kindsOf(args);
  const params = written(args, kinds, asExactJson);
  if ((kinds & PLACED) === 0) return { params };
  const places = placesIn(args, params.length);
  return places.length > 0 ? { params, bytes: places } : { params };
}

interface Message extends Params {
  readonly except?: readonly string[];
}

/** The memory of a message beside its text, about: its places, and ids of connections that must not receive it. */
export const memoryBesideText = ({ bytes = [], except = [] }: Message): number =>
  bytes.reduce((sum, place) => sum + place.join().length + 64, except.join().length);

/** The characters of a message and, as many more, its memory beside them: for limits of what is held or sent. */
export const charsOf = (message: Message): number =>
  message.params.length + memoryBesideText(message);

/** A flag: `JSON.stringify` alone would lose a part of the value, or throw. */
const SPECIAL = 1;
/** A flag: binary protocols write a part of the value differently than JSON. */
const PLACED = 2;

/** The flags of a value. Never throws: `JSON.stringify` refuses a circle, and says where it closes. */
function kindsOf(value: unknown): number {
  try {
    return kindsIn(value);
  } catch {
    return SPECIAL;
  }
}

/** The same in one pass, because every publication pays for it. */
function kindsIn(value: unknown): number {
  if (typeof value === "number") return value - value === 0 ? 0 : SPECIAL;
  if (typeof value !== "object" || value === null) return typeof value === "bigint" ? SPECIAL : 0;
  if (Array.isArray(value)) {
    let kinds = 0;
    for (const item of value) if (typeof item !== "string") kinds |= kindsIn(item);
    return kinds;
  }
  return value instanceof Date ? PLACED : kindsOfObject(value);
}

function kindsOfObject(value: object): number {
  if (isBytes(value) || value instanceof Map) return SPECIAL | PLACED;
  let kinds = wireObjects.isUsed && wireObjects.has(value) ? PLACED : 0;
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    if (typeof member !== "string") kinds |= kindsIn(member);
    if (key === "__proto__") kinds |= SPECIAL;
  }
  return kinds;
}

/** A replacer. It reads the holder: `value` is already the result of `toJSON`, which a Node `Buffer` has. */
function asJson(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const raw = this[key];
  if (isBytes(raw)) return base64(new Uint8Array(raw));
  return raw instanceof Map ? Object.fromEntries(raw) : value;
}

function asDigits(this: Record<string, unknown>, key: string, value: unknown): unknown {
  return typeof value === "bigint" ? digitsOf(value) : asJson.call(this, key, value);
}

function asExactJson(this: Record<string, unknown>, key: string, value: unknown): unknown {
  if (key === "__proto__") throw prototypeKeyError();
  if (typeof value === "bigint") return digitsOf(value);
  if (typeof value === "number" && value - value !== 0)
    throw new TypeError(`${value} cannot be sent: JSON has no such number.`);
  return asJson.call(this, key, value);
}

/** Stock JavaScript clients of MessagePack end their connection at this key. */
export const prototypeKeyError = (): TypeError =>
  new TypeError("The key __proto__ cannot be sent.");

/** Engines without `JSON.rawJSON` throw as `JSON.stringify` does on BigInt. */
function digitsOf(value: bigint): unknown {
  const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };
  check64Bit(value);
  return rawJSON ? rawJSON(String(value)) : value;
}

/** Whether a whole number is within int64 or uint64, the range of .NET and MessagePack. */
export const is64Bit = (value: bigint): boolean => value >= -(2n ** 63n) && value < 2n ** 64n;

/** Throws a TypeError for a whole number of more than 64 bits. */
export function check64Bit(value: bigint): void {
  if (!is64Bit(value)) throw new TypeError("A whole number of more than 64 bits cannot be sent.");
}
