// The places of values in arguments that binary protocols write differently than JSON: bytes, times, dictionaries.

import type { Path } from "../model/message.ts";
import { isBytes } from "./bytes.ts";
import { wireObjects } from "./wire-objects.ts";

/**
 * The most characters of places, for each character of the arguments and in addition. Each place repeats the keys above
 * it: 8,000 empty bytes below a key of 16,000 characters, a message of 32 KB, would have places of 128 MB.
 */
const [SHARE, SPARE] = [8, 4_096];

/**
 * The places in arguments whose text has so many characters, outer ones before those within them. Throws a TypeError if
 * they are much longer than the text.
 */
export function placesIn(args: readonly unknown[], characters: number): readonly Path[] {
  const places: Path[] = [];
  let left = characters * SHARE + SPARE;
  for (const place of placesOf(args, [])) {
    left -= place.join().length + 4;
    if (left < 0)
      throw new TypeError("Bytes, times or dictionaries cannot be sent below such long keys.");
    places.push(place);
  }
  return places;
}

function* placesOf(given: unknown, at: Path): Iterable<Path> {
  if (isPlaced(given)) yield at;
  if (isBytes(given)) return;
  const isShown = given instanceof Map || !hasToJson(given);
  const value = isShown ? given : given.toJSON(String(at.at(-1)));
  if (typeof value !== "object" || value === null) return;
  const members: Iterable<[unknown, unknown]> =
    Array.isArray(value) || value instanceof Map ? value.entries() : Object.entries(value);
  for (const [key, item] of members)
    yield* placesOf(item, [...at, typeof key === "number" ? key : String(key)]);
}

function isPlaced(value: unknown): boolean {
  if (isBytes(value) || value instanceof Date) return true;
  if (value instanceof Map) return !areAmbiguous([...value.keys()]);
  const isData = typeof value === "object" && value !== null && wireObjects.has(value);
  return isData && !areAmbiguous(Object.keys(value));
}

/** Texts of numbers as keys would be read as numbers: a dictionary with such keys is treated as an object. */
const areAmbiguous = (keys: readonly unknown[]): boolean =>
  keys.every((key) => typeof key === "string" && WHOLE_KEY.test(key));

/** A whole number as the key of an object. */
export const WHOLE_KEY = /^(?:0|-?[1-9]\d*)$/;

export const hasToJson = (value: unknown): value is { toJSON(key: string): unknown } =>
  typeof value === "object" &&
  value !== null &&
  "toJSON" in value &&
  typeof value.toJSON === "function";
