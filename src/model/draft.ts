// Drafts: a JSON value that code changes in place, while the original value stays unchanged. Changed objects, and those
// that contain them, are copied; everything else is shared, so that a difference skips it (merge-patch.ts).
//
// - An assigned value is copied, and must be JSON (plain-json.ts); a draft is copied with its present content. Only
//   items that move within their array (`splice`, `sort`) stay the same drafts.
// - An object that was removed or replaced is still a draft, but no longer a part of the value.
// - After `finish` every access throws a TypeError.

import { checkKey, freezeDeep, invalid, plainJson } from "./plain-json.ts";

/** One value that is being changed. */
export interface Draft<T> {
  /** The value: may be changed in place, or replaced by another value. */
  state: T;
}

/**
 * Ends a draft, and returns the new value, frozen; the same object if nothing has changed. `drop` ends it without a
 * value. Throws `invalid_state`.
 */
type FinishDraft<T> = (drop?: "drop") => T;

/** `name` begins the paths in error messages. `base` is a tree without null properties, as `plainJson` returns it. */
export function draftOf<T>(base: T, name = "state"): readonly [Draft<T>, FinishDraft<T>] {
  const scope: Scope = { isOpen: true, nodes: new WeakMap() };
  const holder = new DraftNode(scope, { [name]: base }, undefined);
  const draft: Draft<T> = {
    get state() {
      return holder.get(holder.base, name) as T;
    },
    set state(value) {
      holder.set(holder.base, name, value);
    },
  };
  const finish: FinishDraft<T> = (drop) => {
    try {
      if (drop) return base;
      const value = (holder.value() as Record<string, T>)[name];
      if (value === undefined) throw invalid(name, "is undefined");
      return freezeDeep(value);
    } finally {
      scope.isOpen = false;
    }
  };
  return [draft, finish];
}

/** The drafts of one value. */
interface Scope {
  isOpen: boolean;
  /** The nodes by their proxies. */
  readonly nodes: WeakMap<object, DraftNode>;
}

type Members = Record<string, unknown>;
type Key = string | symbol;

/** One object or array of the value. */
class DraftNode implements ProxyHandler<object> {
  readonly base: Members;
  readonly proxy: object;
  readonly #scope: Scope;
  readonly #parent: DraftNode | undefined;
  /** Made at the first change. Its members are plain: objects of the base, or copies of assigned values. */
  #copy: Members | undefined;
  /** The drafts of members by their plain objects, not by keys, because items of an array may move. */
  #children: Map<object, DraftNode> | undefined;
  /** Whether an item may be in this array twice. */
  #hasMoved = false;

  constructor(scope: Scope, base: object, parent: DraftNode | undefined) {
    this.#scope = scope;
    this.base = base as Members;
    this.#parent = parent;
    // The target is not the base, which is frozen: a proxy could not report other values for a frozen target's members.
    this.proxy = new Proxy(Array.isArray(base) ? [] : {}, this);
    scope.nodes.set(this.proxy, this);
  }

  get(_target: object, key: Key): unknown {
    const latest = this.#latest();
    if (!Object.hasOwn(latest, key)) return inherited(latest, key);
    const value = latest[key as string];
    if (typeof value !== "object" || value === null) return value;
    let child = this.#children?.get(value);
    if (!child) {
      child = new DraftNode(this.#scope, value, this);
      (this.#children ??= new Map()).set(value, child);
    }
    return child.proxy;
  }

  set(_target: object, key: Key, value: unknown): boolean {
    const latest = this.#latest();
    if (typeof key === "symbol") throw new TypeError("A state has no symbols as keys.");
    const place = () => this.#placeOf(key);
    if (!Array.isArray(latest)) checkKey(key, place);
    else if (key === "length") return this.#setLength(latest, value);
    else if (!/^(?:0|[1-9]\d*)$/.test(key)) throw invalid(place(), "is no index of an array");
    const plain = this.#plainOf(value, place);
    if (plain === null && !Array.isArray(latest))
      throw invalid(place(), "is null: leave the property out instead");
    if (plain === undefined) return this.deleteProperty(_target, key);
    if (latest[key] !== plain || !Object.hasOwn(latest, key)) this.#writable()[key] = plain;
    return true;
  }

  deleteProperty(_target: object, key: Key): boolean {
    if (Object.hasOwn(this.#latest(), key)) delete this.#writable()[key as string];
    return true;
  }

  has(_target: object, key: Key): boolean {
    const latest = this.#latest();
    return Object.hasOwn(latest, key) || (Array.isArray(latest) && key in latest);
  }

  ownKeys(): Key[] {
    return Reflect.ownKeys(this.#latest());
  }

  getOwnPropertyDescriptor(target: object, key: Key): PropertyDescriptor | undefined {
    const latest = this.#latest();
    if (!Object.hasOwn(latest, key)) return undefined;
    const isLength = Array.isArray(latest) && key === "length";
    const value = this.get(target, key);
    return { value, writable: true, enumerable: !isLength, configurable: !isLength };
  }

  defineProperty(): boolean {
    throw new TypeError("A property of a state is assigned, not defined.");
  }

  setPrototypeOf(): boolean {
    throw new TypeError("A state has no prototype of its own.");
  }

  preventExtensions(): boolean {
    throw new TypeError("A draft cannot be frozen.");
  }

  /** The present plain value: the base itself if nothing has changed. */
  value(): unknown {
    const latest = this.#copy ?? this.base;
    const changed = new Map<unknown, unknown>();
    for (const [plain, child] of this.#children ?? []) {
      const value = child.value();
      if (value !== plain) changed.set(plain, value);
    }
    if (Array.isArray(latest)) return this.#arrayOf(latest, changed);
    if (changed.size === 0) return this.#copy ? { ...this.#copy } : this.base;
    const value = { ...latest };
    for (const key of Object.keys(value))
      if (changed.has(value[key])) value[key] = changed.get(value[key]);
    return value;
  }

  #arrayOf(latest: readonly unknown[], changed: ReadonlyMap<unknown, unknown>): unknown {
    if (!this.#copy && changed.size === 0) return latest;
    const seen = new Set<unknown>();
    // `Array.from`, because it visits holes as well.
    return Array.from(latest, (plain, index) => {
      if (plain === undefined) throw invalid(this.#placeOf(String(index)), "is undefined");
      const value = changed.has(plain) ? changed.get(plain) : plain;
      if (!this.#hasMoved || typeof value !== "object" || value === null) return value;
      if (seen.has(value)) return plainJson(value, () => this.#placeOf(String(index)));
      seen.add(value);
      return value;
    });
  }

  #latest(): Members {
    if (!this.#scope.isOpen) throw new TypeError("The action has ended: its state is read-only.");
    return this.#copy ?? this.base;
  }

  #writable(): Members {
    const copy = this.#copy ?? (Array.isArray(this.base) ? [...this.base] : { ...this.base });
    return (this.#copy = copy as Members);
  }

  /** An item that moves within its array stays the same object; everything else is copied. */
  #plainOf(value: unknown, place: () => string): unknown {
    if (typeof value !== "object" || value === null)
      return value === null ? null : plainJson(value, place);
    const node = this.#scope.nodes.get(value);
    if (node && node.#parent === this && Array.isArray(this.base)) {
      this.#hasMoved = true;
      return node.base;
    }
    return plainJson(value, place, (inner) => this.#scope.nodes.get(inner)?.value() ?? inner);
  }

  /** An array can only be shortened by its length: a larger length would make holes. */
  #setLength(latest: readonly unknown[], length: unknown): boolean {
    if (typeof length !== "number" || length > latest.length)
      throw invalid(this.#placeOf("length"), "does not grow without items");
    if (length < latest.length) (this.#writable() as unknown as unknown[]).length = length;
    return true;
  }

  #placeOf(key: string): string {
    if (!this.#parent) return key;
    const outer = this.#parent.#keyOf(this);
    return Array.isArray(this.base) && /^\d+$/.test(key) ? `${outer}[${key}]` : `${outer}.${key}`;
  }

  #keyOf(child: DraftNode): string {
    const latest = this.#copy ?? this.base;
    const key = Object.keys(latest).find((name) => latest[name] === child.base);
    return key === undefined ? "a removed value" : this.#placeOf(key);
  }
}

/**
 * Inherited members: methods of arrays only. An object is often a record by user ids: if it inherited `constructor`,
 * code that counts by id could change the prototypes of the whole isolate.
 */
const inherited = (latest: Members, key: Key): unknown =>
  Array.isArray(latest) && key !== "__proto__" ? latest[key as never] : undefined;
