// One of many in a common storage: its keys begin with its own prefix, which nobody but this sees.

import type { KeyValues } from "./storage-version.ts";

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

  /** All whose keys begin so, by what comes after. */
  list<T>(beginning: string): [rest: string, value: T][] {
    const prefix = this.#prefix + beginning;
    return [...this.#kv.list<T>({ prefix })].map(([key, value]) => [
      key.slice(prefix.length),
      value,
    ]);
  }
}
