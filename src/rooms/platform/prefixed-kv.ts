// Several stores in the keys of one storage. Most have a few keys, which are read once and kept in memory: a read of
// one key costs half as much as the read of all of them.

import type { KeyValues } from "../../model/stored-values.ts";

/** Keys of one store that are kept in memory, and their characters; those of a larger store are read each time. */
const KEPT_AT_MOST = 8;
const CHARACTERS_AT_MOST = 1_000;

/**
 * The part of a storage whose keys have a prefix, which ends with a slash. Nobody else writes there, and there is one
 * for a prefix at a time.
 */
export class PrefixedKv {
  readonly #kv: KeyValues;
  readonly #prefix: string;
  /** All entries, by the rest of their keys; undefined until they are read, "many" where they are too many. */
  #kept: Map<string, unknown> | "many" | undefined;

  constructor(kv: KeyValues, prefix: string) {
    this.#kv = kv;
    this.#prefix = prefix;
  }

  get<T>(key: string): T | undefined {
    const kept = this.#entries();
    return kept === "many" ? this.#kv.get<T>(this.#prefix + key) : (kept.get(key) as T | undefined);
  }

  put<T>(key: string, value: T): void {
    this.#kv.put(this.#prefix + key, value);
    const kept = this.#kept;
    if (!(kept instanceof Map)) return;
    kept.set(key, value);
    if (!isSmall(kept)) this.#kept = "many";
  }

  delete(key: string): void {
    this.#kv.delete(this.#prefix + key);
    if (this.#kept instanceof Map) this.#kept.delete(key);
  }

  /** Values whose keys begin with `beginning`, each with the rest of its key, in the order of keys. */
  list<T>(beginning: string): [rest: string, value: T][] {
    const kept = this.#entries();
    const found = kept === "many" ? this.#stored(beginning) : inOrder(kept, beginning);
    return found.map(([key, value]) => [key.slice(beginning.length), value as T]);
  }

  #entries(): Map<string, unknown> | "many" {
    if (this.#kept) return this.#kept;
    const found = new Map(this.#stored(""));
    return (this.#kept = isSmall(found) ? found : "many");
  }

  #stored(beginning: string): [string, unknown][] {
    const start = this.#prefix + beginning;
    const found = this.#kv.list({ start, end: behind(start) });
    return [...found].map(([key, value]) => [key.slice(this.#prefix.length), value]);
  }
}

function isSmall(entries: ReadonlyMap<string, unknown>): boolean {
  if (entries.size > KEPT_AT_MOST) return false;
  let characters = 0;
  for (const key of entries.keys()) characters += key.length;
  return characters <= CHARACTERS_AT_MOST;
}

/** Behind all keys that begin with it: this reads a third faster than a prefix. */
export const behind = (beginning: string): string =>
  beginning.slice(0, -1) + String.fromCharCode(beginning.charCodeAt(beginning.length - 1) + 1);

const inOrder = (kept: ReadonlyMap<string, unknown>, beginning: string): [string, unknown][] =>
  [...kept]
    .filter(([key]) => key.startsWith(beginning))
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
