// Copies values as the JSON that a room's state may consist of. Everything else is refused with its path: a property
// that is null (in a merge patch null removes), dates, maps, instances of classes, functions, NaN, holes, lone
// surrogates, cycles.

import { HubError } from "./errors.ts";

/** The most levels of objects and arrays in a state. A patch has as many, and frames are refused beyond 64. */
const STATE_DEPTH = 32;

/** Lone surrogates have no UTF-8. By the flag `u`: React Native's engine has no `isWellFormed` [CP2]. */
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/** The path of a value: keys from the outermost on, joined only when an error message needs it. */
type PlaceOf = () => string;

/** Returns the object to copy instead of this one; undefined if it is not replaced. */
type Unwrap = (value: object) => unknown;

/**
 * A deep copy. A property that is undefined is left out. `undefined` itself is returned unchanged. Throws
 * `invalid_state`.
 */
export function plainJson(value: unknown, place: PlaceOf, unwrap: Unwrap = itself): unknown {
  if (value === null) throw invalid(place(), "is null: leave the property out instead");
  return copyOf(value, { place, unwrap, depth: 0 });
}

const itself: Unwrap = (value) => value;

interface Copying {
  readonly place: PlaceOf;
  readonly unwrap: Unwrap;
  readonly depth: number;
}

function copyOf(value: unknown, at: Copying): unknown {
  switch (typeof value) {
    case "string":
      if (LONE_SURROGATE.test(value)) throw invalid(at.place(), "has half a surrogate pair");
      return value;
    case "number":
      if (value - value !== 0) throw invalid(at.place(), `is ${value}`);
      return value;
    case "boolean":
    case "undefined":
      return value;
    case "object":
      return value === null ? null : copyOfObject(at.unwrap(value) as object, at);
    default:
      throw invalid(at.place(), `is no JSON, but a ${typeof value}`);
  }
}

function copyOfObject(value: object, at: Copying): unknown {
  if (at.depth >= STATE_DEPTH)
    throw invalid(at.place(), `is nested deeper than ${STATE_DEPTH} levels, or in a circle`);
  if (Array.isArray(value)) return copyOfArray(value, at);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype && !isForeign(prototype))
    throw invalid(at.place(), `is no plain object, but a ${value.constructor?.name ?? "class"}`);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const place = () => `${at.place()}.${key}`;
    checkKey(key, place);
    const member = copyOf((value as Record<string, unknown>)[key], inner(at, place));
    if (member === null) throw invalid(place(), "is null: leave the property out instead");
    if (member !== undefined) copy[key] = member;
  }
  return copy;
}

/** Whether it is the prototype of plain objects of another realm, such as a test's sandbox. */
const isForeign = (prototype: unknown): boolean =>
  Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, "isPrototypeOf");

function copyOfArray(value: readonly unknown[], at: Copying): unknown[] {
  const copy: unknown[] = [];
  for (let index = 0; index < value.length; index++) {
    const place = () => `${at.place()}[${index}]`;
    const item = copyOf(value[index], inner(at, place));
    if (item === undefined) throw invalid(place(), "is undefined: use null, or leave it out");
    copy.push(item);
  }
  return copy;
}

const inner = ({ unwrap, depth }: Copying, place: PlaceOf): Copying => ({
  place,
  unwrap,
  depth: depth + 1,
});

/** Throws `invalid_state` for a key that a state may not have. */
export function checkKey(key: string, place: PlaceOf): void {
  if (key === "__proto__") throw invalid(place(), "is a prototype, and no property");
  if (LONE_SURROGATE.test(key)) throw invalid(place(), "has half a surrogate pair in its name");
}

export const invalid = (place: string, problem: string): HubError =>
  new HubError("invalid_state", `${place} ${problem}.`);

/** A copy for code that may change it. Most values are no objects, and `structuredClone` takes a microsecond for null. */
export const ownCopy = <T>(value: T): T =>
  typeof value === "object" && value !== null ? structuredClone(value) : value;

/** Freezes a value with everything in it that is not frozen yet. */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const item of Object.values(value)) freezeDeep(item);
  return Object.freeze(value);
}
