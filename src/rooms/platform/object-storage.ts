// The storage of an object, which stays empty until the object's first write: an object that is only read, or refuses,
// stores nothing. Tables are declared when the parts are built. Each is created with its first row, in that row's
// commit, because a table costs two rows and as much CPU as several messages, and most objects need few of them. When
// the object has nothing to keep, `deleteAll` makes it empty again, and the next write creates it again.

import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { KeyValues, PartStorage, Sql, SqlRows } from "../../model/stored-values.ts";
import {
  isEmpty,
  newestOf,
  tablesIn,
  upgrade,
  VERSION_KEY,
  type Migration,
  type VersionedObject,
} from "./storage-version.ts";

type Row = Record<string, SqlStorageValue>;

/** The parts of a statement that matter before its table exists. */
interface Statement {
  readonly verb: string;
  /** Its table; of `CREATE` all tables that it creates. */
  readonly tables: readonly string[];
}

/**
 * Statements whose table does not exist: `CREATE` declares it, `INSERT` creates it, `UPDATE` and `DELETE` do nothing,
 * and `SELECT` returns no row, not even for `count(*)`. `kv.put` begins an empty storage, like `INSERT`.
 */
export class ObjectStorage implements PartStorage {
  readonly #storage: DurableObjectStorage;
  /** The object's name, for the log. */
  readonly name: string | undefined;
  readonly #version: number;
  /** Statements that create declared tables, by table. */
  readonly #declared = new Map<string, string>();
  readonly #firstContent: (() => void)[] = [];
  #atDamage: (() => void) | undefined;
  /** Tables that exist. */
  #tables: Set<string>;
  #isEmpty: boolean;
  readonly sql: Sql & { direct: Pick<SqlStorage, "exec"> | undefined };
  readonly kv: KeyValues;

  /** Brings an older storage to the newest version. Throws `storage_too_new`, and errors of a migration. */
  constructor(object: VersionedObject, migrations: readonly Migration[]) {
    this.#storage = object.storage;
    this.name = object.id.name;
    this.#version = newestOf(migrations);
    const tables = this.#sound(() => tablesIn(object.storage));
    this.#isEmpty = this.#sound(() => isEmpty(tables, object.storage));
    const isChanged = !this.#isEmpty && this.#sound(() => upgrade(object, migrations));
    this.#tables = new Set(isChanged ? tablesIn(object.storage) : tables);
    this.sql = { exec: (query, ...values) => this.#exec(query, values), direct: undefined };
    this.#become(this.#isEmpty);
    this.kv = this.#keyValues();
  }

  /** Whether neither a table nor a key is stored. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** Size of the database file. Reading it costs nothing. */
  get bytes(): number {
    return this.#isEmpty ? 0 : this.#storage.sql.databaseSize;
  }

  /** Number of rows of all tables. Counting reads each of them, which is billed. */
  countRows(): number {
    const tables = [...this.#declared.keys()].filter((table) => this.#tables.has(table));
    if (tables.length === 0) return 0;
    const counts = tables.map((table) => `(SELECT count(*) FROM ${table})`);
    const query = `SELECT ${counts.join(" + ")} AS rows`;
    return this.#sound(() => this.#storage.sql.exec<{ rows: number }>(query).one().rows);
  }

  /** Registers a function that is called when damage is found, before the caller gets the error. */
  onDamage(act: () => void): void {
    this.#atDamage = act;
  }

  /** Registers a function that runs with every first write into an empty storage, in its commit. */
  atFirstWrite(write: () => void): void {
    this.#firstContent.push(write);
  }

  #become(empty: boolean): void {
    this.#isEmpty = empty;
    this.sql.direct = empty ? undefined : this.#storage.sql;
  }

  /**
   * Begins an empty storage without a row, because something outside depends on this object now: runs the functions of
   * `atFirstWrite`. If one fails, the storage is empty as before, and the next first write tries again.
   */
  create(): void {
    if (!this.#isEmpty) return;
    this.transactionSync(() => {
      this.#become(false);
      // Version 1 is never written: it would cost every object a row.
      if (this.#version > 1) this.#storage.kv.put(VERSION_KEY, this.#version);
      for (const write of this.#firstContent) write();
    });
  }

  /** Whether the table exists. */
  hasTable(table: string): boolean {
    return this.#tables.has(table);
  }

  /** Creates a declared table before its first row. */
  makeTable(table: string): void {
    this.create();
    const query = this.#declared.get(table);
    if (query === undefined || this.#tables.has(table)) return;
    this.#sound(() => this.#storage.sql.exec(query));
    for (const made of statementOf(query).tables) this.#tables.add(made);
  }

  /** Deletes the table: its next row creates it again. */
  dropTable(table: string): void {
    if (!this.#tables.delete(table)) return;
    this.#sound(() => this.#storage.sql.exec(`DROP TABLE ${table}`));
  }

  /**
   * Deletes all rows, keys and the alarm in this turn, so that no event comes between the caller's check and the
   * deletion. Parts must forget their data in memory in the same turn.
   */
  async deleteAll(): Promise<void> {
    this.#become(true);
    this.#tables.clear();
    await Promise.all([this.#storage.deleteAlarm(), this.#storage.deleteAll()]);
  }

  transactionSync<T>(run: () => T): T {
    const wasEmpty = this.#isEmpty;
    const tables = new Set(this.#tables);
    try {
      return this.#storage.transactionSync(run);
    } catch (error) {
      this.#become(wasEmpty);
      this.#tables = tables;
      throw error;
    }
  }

  #exec<T extends Row>(query: string, values: readonly SqlStorageValue[]): SqlRows<T> {
    const { verb, tables } = statementOf(query);
    if (verb === "CREATE") return this.#declare(query, tables);
    if (verb === "INSERT" && !tables.every((table) => this.#tables.has(table)))
      for (const table of tables) this.makeTable(table);
    else if (!tables.every((table) => this.#tables.has(table))) return NO_ROWS;
    return this.#sound(() => this.#storage.sql.exec<T>(query, ...values));
  }

  /**
   * Runs an access. Throws `storage_corrupt` if the file is damaged, or a table is not as it was created; other errors,
   * such as of a full disk, are thrown unchanged.
   */
  #sound<T>(use: () => T): T {
    try {
      return use();
    } catch (error) {
      if (!isStorageDamage(error)) throw error;
      const shown = storageCorrupt(this.name, error);
      this.#atDamage?.();
      throw shown;
    }
  }

  #declare(query: string, tables: readonly string[]): SqlRows<never> {
    for (const table of tables) this.#declared.set(table, query);
    return NO_ROWS;
  }

  #keyValues(): KeyValues {
    const { kv } = this.#storage;
    return {
      get: (key) => (this.#isEmpty ? undefined : this.#sound(() => kv.get(key))),
      list: <T>(options?: SyncKvListOptions) =>
        this.#isEmpty ? [] : this.#sound(() => [...kv.list<T>(options)]),
      put: (key, value) => {
        this.create();
        this.#sound(() => kv.put(key, value));
      },
      delete: (key) => (this.#isEmpty ? false : this.#sound(() => kv.delete(key))),
    };
  }
}

const TABLE = /\b(?:FROM|INTO|(?<!DO )UPDATE|TABLE IF NOT EXISTS)\s+(?<table>\w+)/g;

/** Parsed once for all objects of the isolate: the queries are texts of this program, and their number is finite. */
const STATEMENTS = new Map<string, Statement>();

function statementOf(query: string): Statement {
  let statement = STATEMENTS.get(query);
  if (!statement) STATEMENTS.set(query, (statement = parse(query)));
  return statement;
}

const parse = (query: string): Statement => ({
  verb: /\w+/.exec(query)?.[0] ?? "",
  tables: [...new Set([...query.matchAll(TABLE)].map(({ groups }) => groups!["table"]!))],
});

const CORRUPT =
  /SQLITE_CORRUPT|SQLITE_NOTADB|no such (?:table|column)|malformed|has no column|has \d+ columns/;

/** Logs the damage with the object's name, and returns the error for callers. */
export function storageCorrupt(object: string | undefined, error: unknown): HubError {
  logError("storage_corrupt", { object, error });
  return new HubError("storage_corrupt", "The stored data cannot be read.");
}

/** Whether the file is damaged, or a table is not as it was created. */
export const isStorageDamage = (error: unknown): boolean =>
  error instanceof Error && CORRUPT.test(error.message);

const NO_ROWS: SqlRows<never> = {
  toArray: () => [],
  rowsWritten: 0,
  [Symbol.iterator]: () => [][Symbol.iterator](),
};
