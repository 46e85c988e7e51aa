// What inbound JSON text is refused for before anybody looks at its meaning: its size, its depth, one key.
// Everything here is linear in the text and stops at the limit; nothing here throws.

import { HubError } from "../model/errors.ts";

/** Bytes are UTF-8's, as on the wire; a UTF-16 unit is one to three of them, so that most frames need no count. */
export function sizeError(text: string, limit: number): HubError | undefined {
  if (text.length * 3 <= limit) return undefined;
  if (text.length > limit) return tooLarge(`${grouped(text.length)} characters`, limit);
  const bytes = new TextEncoder().encode(text).length;
  return bytes > limit ? tooLarge(`${grouped(bytes)} bytes`, limit) : undefined;
}

/**
 * `JSON.parse` survives any depth, but whoever encodes or clones the value later does not (from about 10,000), so
 * the text is judged before a value exists. Broken JSON may pass here: it fails in `JSON.parse`.
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
 * Whether `hasPrototypeKey` need look at all: the name is there, or an escape which could spell one of its letters
 * (`_` is \u005f; o, p, r and t are \u006f–\u0074).
 */
export const mayHavePrototypeKey = (text: string): boolean =>
  text.includes("__proto__") || (text.includes("\\u00") && /\\u00[567]/.test(text));

/**
 * Whether a key `__proto__` stands anywhere in a parsed value. `JSON.parse` makes it a harmless own property, and the
 * first `target[key] = value` or `Object.assign` of user code makes it a prototype. No honest client sends it, and
 * silently dropping it would change what was said: so it is refused. Recursion ends at the depth limit.
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

/** `70,112`, without Intl: that costs 35 ms once and 0.3 ms each time, which is what a flood would like. */
const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",");
