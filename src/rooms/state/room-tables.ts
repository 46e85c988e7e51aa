// The tables that a hub declares for its rooms with state: each statement is run once in a room, in order.

import type { KeyValues } from "../../model/stored-values.ts";
import { fillTables, hasRows, quoted, rowsIn, tableNames, type TableRows } from "./table-rows.ts";

interface RoomTablesOptions {
  /** SQL of the hub, in order. */
  readonly tables: readonly string[];
  /** The names of the object's own tables. */
  readonly own: readonly string[];
  readonly storage: {
    readonly isEmpty: boolean;
    readonly kv: KeyValues;
    atFirstWrite(write: () => void): void;
    create(): void;
    transactionSync<T>(run: () => T): T;
  };
  /** The whole database: these tables are not declared to `storage`. */
  readonly sql: Pick<SqlStorage, "exec">;
}

/** Storage key: the number of statements that were run. */
export const TABLES_RUN = "tables";

export class RoomTables {
  readonly #options: RoomTablesOptions;

  constructor(options: RoomTablesOptions) {
    this.#options = options;
    if (options.tables.length > 0) options.storage.atFirstWrite(() => this.#run(0));
  }

  /** Runs missing statements, on first use after a wake. An empty storage runs them with its first write. */
  prepare(): void {
    const { storage, tables } = this.#options;
    if (tables.length === 0 || storage.isEmpty) return;
    const count = storage.kv.get<number>(TABLES_RUN) ?? 0;
    if (count < tables.length) storage.transactionSync(() => this.#run(count));
  }

  #run(from: number): void {
    const { sql, storage, tables } = this.#options;
    for (const table of tables.slice(from)) sql.exec(table);
    storage.kv.put(TABLES_RUN, tables.length);
  }

  /** Called in the transaction of an erasure: drops tables, also of earlier deploys, and creates the present ones. */
  erase(): void {
    const { own, sql, storage, tables } = this.#options;
    const names = storage.kv.delete(TABLES_RUN) ? tableNames(sql, own) : [];
    for (const name of names) sql.exec(`DROP TABLE ${quoted(name)}`);
    if (tables.length > 0) this.#run(0);
  }

  #names(): readonly string[] {
    const { own, sql, storage, tables } = this.#options;
    return tables.length === 0 || storage.isEmpty ? [] : tableNames(sql, own);
  }

  get isEmpty(): boolean {
    const { sql } = this.#options;
    return !this.#names().some((name) => hasRows(sql, name));
  }

  /** All rows, by table. Throws `too_large` if they have more than about `bytes` as JSON. */
  rows(bytes: number): TableRows {
    const { sql } = this.#options;
    const rest = { bytes };
    return Object.fromEntries(this.#names().map((name) => [name, rowsIn(sql, name, rest)]));
  }

  /**
   * Inserts rows, in the caller's transaction. Throws `invalid_arguments` for an unknown table or column, and for rows
   * that the database refuses.
   */
  fill(rows: TableRows): void {
    if (Object.keys(rows).length > 0) this.#options.storage.create();
    fillTables(this.#options.sql, this.#names(), rows);
  }
}
