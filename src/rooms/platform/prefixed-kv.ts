// Several stores in the keys of one storage.

import type { KeyValues } from "../../model/stored-values.ts";

/** The part of a storage whose keys have a prefix. */
export class PrefixedKv {
  readonly #kv: KeyValues;
  readonly #prefix: string;

  constructor(kv: KeyValues, prefix: string) {
    this.#kv = kv;
    this.#prefix = prefix;
  }

  get<T>(key: string): T | undefined {
    return this.#kv.get<T>(this.#prefix + key);
  }

  put<T>(key: string, value: T): void {
    this.#kv.put(this.#prefix + key, value);
  }

  delete(key: string): void {
    this.#kv.delete(this.#prefix + key);
  }

  /** Values whose keys begin with `beginning`, each with the rest of its key, in the order of keys. */
  list<T>(beginning: string): [rest: string, value: T][] {
    const prefix = this.#prefix + beginning;
    return [...this.#kv.list<T>({ prefix })].map(([key, value]) => [
      key.slice(prefix.length),
      value,
    ]);
  }
}
