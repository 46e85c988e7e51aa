// Merge patches (RFC 7396): the difference between two JSON values. Pure, and shared with pages. A patch removes a
// property by `null`, so that values have no property that is null; within arrays it is a value. What does not change
// stays the same object, which lets a difference and a page skip it.

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/**
 * The value after the patch. Neither is changed. Objects and arrays that the patch leaves as they are stay the same
 * ones, the whole value included. A key `__proto__` is skipped: no state has one.
 */
export function applyPatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return isSame(target, patch) ? target : patch;
  const before = isObject(target) ? target : {};
  let after = before === target ? undefined : {};
  for (const key of Object.keys(patch)) {
    if (key === "__proto__") continue;
    const old = memberOf(before, key);
    const merged = patch[key] === null ? undefined : applyPatch(old, patch[key]);
    if (merged === old) continue;
    after ??= { ...before };
    if (merged === undefined) delete (after as Members)[key];
    else (after as Members)[key] = merged;
  }
  return after ?? target;
}

/**
 * The patch from one value to another; undefined where they are equal. A property that is undefined counts as absent.
 * The same object on both sides is not looked into, so that a change costs what it touches.
 */
export function patchBetween(before: unknown, after: unknown): unknown {
  if (before === after) return undefined;
  if (!isObject(before) || !isObject(after)) return isSame(before, after) ? undefined : after;
  const patch: Members = {};
  let isEmpty = true;
  const put = (key: string, change: unknown) => {
    isEmpty = false;
    patch[key] = change;
  };
  for (const key of Object.keys(before))
    if (before[key] !== undefined && memberOf(after, key) === undefined) put(key, null);
  for (const key of Object.keys(after)) {
    const [old, value] = [memberOf(before, key), after[key]];
    if (value === undefined || old === value) continue;
    const change = patchBetween(old, value);
    if (change !== undefined) put(key, change);
  }
  return isEmpty ? undefined : patch;
}

/** Whether two JSON values are equal, members in any order. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, at) => isSame(item, other[at]));
  return isObject(one) && isObject(other) && patchBetween(one, other) === undefined;
}

type Members = Record<string, unknown>;

const isObject = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Own properties only: a key such as `constructor` is one of a prototype. */
const memberOf = (value: Members, key: string): unknown =>
  Object.hasOwn(value, key) ? value[key] : undefined;
