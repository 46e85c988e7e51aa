// Merge patches (RFC 7396): the difference between two JSON values. Pure, and shared with pages. In a patch `null`
// removes a property, so that values cannot have properties that are null; within arrays null is a value. Unchanged
// objects stay the same, so that a difference and a page can skip them.

/**
 * The value after the patch. Neither argument is changed. Objects and arrays that the patch does not change, even the
 * whole value, stay the same objects. A key `__proto__` is skipped: no state has one.
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
 * The patch from one value to another; undefined if they are equal. A property that is undefined counts as absent. An
 * object that is the same on both sides is skipped, so that the cost depends on the size of the change.
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

/** Reads only own properties: `constructor`, for example, is a property of the prototype. */
const memberOf = (value: Members, key: string): unknown =>
  Object.hasOwn(value, key) ? value[key] : undefined;
