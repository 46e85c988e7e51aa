// Several stores in the keys of one storage, by prefix. Most have a few keys, which are read once and kept in memory:
// to read one key costs half as much as to read all of them.

import type { KeyValues } from "../../model/stored-values.ts";

/** The most keys of a store that are kept in memory, and their characters; a larger store is read each time. */
const KEPT_AT_MOST = 8;
const CHARACTERS_AT_MOST = 1_000;

/**
 * The keys of a storage with a prefix, which ends with a slash. There is one instance for a prefix at a time, and only
 * it writes these keys.
 */
export class PrefixedKv {
  readonly #kv: KeyValues;
  readonly #prefix: string;
  /** All entries, by keys without the prefix; undefined until they are read, "many" if they are too many. */
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

  /** Values whose keys begin with `beginning`, each with the rest of its key, ordered by key. */
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

/** The first text after all keys that begin with it: a range with an end reads a third faster than a prefix. */
export const behind = (beginning: string): string =>
  beginning.slice(0, -1) + String.fromCharCode(beginning.charCodeAt(beginning.length - 1) + 1);

const inOrder = (kept: ReadonlyMap<string, unknown>, beginning: string): [string, unknown][] =>
  [...kept]
    .filter(([key]) => key.startsWith(beginning))
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
