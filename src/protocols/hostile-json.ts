// Checks of inbound JSON text before it is interpreted: size, depth, and the key `__proto__`. Everything here is linear
// in the text and stops at the limit; nothing throws.

import { HubError } from "../model/errors.ts";

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
