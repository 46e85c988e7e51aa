// Changes at places of a value, in a copy of it.

export type Path = readonly PropertyKey[];

export interface Edit {
  readonly at: Path;
  /** Whether the edit stays if its place still has an issue: a renaming, because a name has one meaning. */
  readonly isSure?: true;
  /** Changes the container of the place, which is a copy. */
  readonly change: (holder: Container) => void;
  /** For an edit that puts a `Date` or bytes there: puts a `Stranger` there instead. */
  readonly stranger?: (holder: Container) => void;
}

export const isObject = (value: unknown): value is Record<PropertyKey, unknown> =>
  typeof value === "object" && value !== null;

export function memberOf(holder: unknown, key: PropertyKey): unknown {
  if (holder instanceof Map) return holder.get(key);
  return isObject(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined;
}

export type Container = unknown[] | Map<unknown, unknown> | Record<PropertyKey, unknown>;

/** The place of the whole value in an array of one item, so that every place has a container. */
export const ROOT = 0;

/**
 * A copy of the value with all edits. A container is copied once for all edits, because large ones are expensive. An
 * edit inside of a value that another edit has replaced is left out.
 */
export function applyEdits(value: unknown, edits: readonly Edit[]): unknown {
  const root = [value];
  const copies = new Set<unknown>([root]);
  for (const { at, change } of edits) {
    const holder = copiedHolder(root, [ROOT, ...at].slice(0, -1), copies);
    if (holder) change(holder);
  }
  return root[ROOT];
}

/** The container at the path, after it and those on the way were replaced by copies. */
function copiedHolder(root: Container, path: Path, copies: Set<unknown>): Container | undefined {
  let holder = root;
  for (const key of path) {
    const member = memberOf(holder, key);
    if (!isObject(member)) return undefined;
    const copy = copies.has(member) ? (member as Container) : copyOf(member);
    copies.add(copy);
    setMember(holder, key, copy);
    holder = copy;
  }
  return holder;
}

function copyOf(container: object): Container {
  if (container instanceof Map) return new Map(container);
  return Array.isArray(container) ? [...container] : { ...container };
}

export function setMember(holder: Container, key: PropertyKey, value: unknown): void {
  if (holder instanceof Map) holder.set(key, value);
  else if (Array.isArray(holder)) holder[Number(key)] = value;
  else
    Object.defineProperty(holder, key, {
      ...{ value, writable: true, enumerable: true, configurable: true },
    });
}
