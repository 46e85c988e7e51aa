// The storage of an object, which stays empty until the object's first write: an object that is only read, or refuses,
// costs nothing on disk. Tables are declared when the parts are built, and made together with the first row or key, in
// its commit. Once the object has nothing to keep, `deleteAll` makes it empty again, and the next first write begins
// anew.

import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { KeyValues, PartStorage, Sql, SqlRows } from "../../model/stored-values.ts";
import {
  isEmpty,
  newestOf,
  upgrade,
  VERSION_KEY,
  type Migration,
  type VersionedObject,
} from "./storage-version.ts";

type Row = Record<string, SqlStorageValue>;

/**
 * What statements do while the storage is empty: `CREATE` declares a table, `INSERT` and `kv.put` make all that were
 * declared, `UPDATE`, `DELETE` and `kv.delete` change nothing, and `SELECT` gives no row, not even one of `count(*)`.
 */
export class ObjectStorage implements PartStorage {
  readonly #storage: DurableObjectStorage;
  /** The object's, for the log of errors. */
  readonly name: string | undefined;
  readonly #version: number;
  readonly #tables: string[] = [];
  readonly #firstContent: (() => void)[] = [];
  #isEmpty: boolean;
  readonly sql: Sql;
  readonly kv: KeyValues;

  /** Brings an older storage to the newest version. Throws `storage_too_new`, and what a migration throws. */
  constructor(object: VersionedObject, migrations: readonly Migration[]) {
    this.#storage = object.storage;
    this.name = object.id.name;
    this.#version = newestOf(migrations);
    this.#isEmpty = isEmpty(object.storage);
    if (!this.#isEmpty) upgrade(object, migrations);
    this.sql = { exec: (query, ...values) => this.#exec(query, values) };
    this.kv = this.#keyValues();
  }

  /** Nothing is stored: neither a table nor a key. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** `write` runs with every first write, in its commit. */
  atFirstWrite(write: () => void): void {
    this.#firstContent.push(write);
  }

  /** Makes the declared tables, unless they are there: something outside has begun to rely on this object. */
  create(): void {
    if (!this.#isEmpty) return;
    this.#isEmpty = false;
    // Version 1 is never written: it would cost every object a row.
    if (this.#version > 1) this.#storage.kv.put(VERSION_KEY, this.#version);
    for (const table of this.#tables) this.#storage.sql.exec(table);
    for (const write of this.#firstContent) write();
  }

  /**
   * Deletes all rows, keys and the alarm, at once: no event comes between a check before it and the next turn. What
   * parts have in memory of the storage is theirs to forget, in the same turn.
   */
  async deleteAll(): Promise<void> {
    this.#isEmpty = true;
    await Promise.all([this.#storage.deleteAlarm(), this.#storage.deleteAll()]);
  }

  transactionSync<T>(run: () => T): T {
    const wasEmpty = this.#isEmpty;
    try {
      return this.#storage.transactionSync(run);
    } catch (error) {
      this.#isEmpty = wasEmpty;
      throw error;
    }
  }

  #exec<T extends Row>(query: string, values: readonly SqlStorageValue[]): SqlRows<T> {
    const isTable = CREATE.test(query);
    if (isTable) this.#tables.push(query);
    if (this.#isEmpty) {
      if (isTable || !INSERT.test(query)) return NO_ROWS;
      this.create();
    }
    try {
      return this.#storage.sql.exec<T>(query, ...values);
    } catch (error) {
      throw this.#isCorrupt(error) ? storageCorrupt(this.name, error) : error;
    }
  }

  /** Not a full disk, nor a deploy that is to be blamed: the file itself, or tables that are not as they were made. */
  #isCorrupt(error: unknown): boolean {
    return error instanceof Error && CORRUPT.test(error.message);
  }

  #keyValues(): KeyValues {
    const { kv } = this.#storage;
    return {
      get: (key) => (this.#isEmpty ? undefined : kv.get(key)),
      list: (options) => (this.#isEmpty ? [] : kv.list(options)),
      put: (key, value) => {
        this.create();
        kv.put(key, value);
      },
      delete: (key) => (this.#isEmpty ? false : kv.delete(key)),
    };
  }
}

const CREATE = /^\s*CREATE\b/;
const INSERT = /^\s*INSERT\b/;

const CORRUPT =
  /SQLITE_CORRUPT|SQLITE_NOTADB|no such (?:table|column)|malformed|has no column|has \d+ columns/;

/** Logs it with the object's name, and gives the error for callers. */
export function storageCorrupt(object: string | undefined, error: unknown): HubError {
  logError("storage_corrupt", { object, error });
  return new HubError("storage_corrupt", "What is stored here cannot be read any more.");
}

const NO_ROWS: SqlRows<never> = {
  toArray: () => [],
  one() {
    throw new Error("The storage is empty.");
  },
  rowsWritten: 0,
  [Symbol.iterator]: () => [][Symbol.iterator](),
};
