// The room's own tables, which a hub declares: each statement is run once in a room, in order.

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
  /** The database itself: these tables are none of the object's. */
  readonly sql: Pick<SqlStorage, "exec">;
}

/** The key of how many statements were run. */
const KEY = "tables";

export class RoomTables {
  readonly #options: RoomTablesOptions;

  constructor(options: RoomTablesOptions) {
    this.#options = options;
    if (options.tables.length > 0) options.storage.atFirstWrite(() => this.#run(0));
  }

  /** On first use after a wake. An empty storage makes them with its first write. Throws what a statement throws. */
  prepare(): void {
    const { storage, tables } = this.#options;
    if (tables.length === 0 || storage.isEmpty) return;
    const count = storage.kv.get<number>(KEY) ?? 0;
    if (count < tables.length) storage.transactionSync(() => this.#run(count));
  }

  #run(from: number): void {
    const { sql, storage, tables } = this.#options;
    for (const table of tables.slice(from)) sql.exec(table);
    storage.kv.put(KEY, tables.length);
  }

  /** In the transaction of an erasure: also those of an earlier deploy. Today's are created again, empty. */
  erase(): void {
    const { own, sql, storage, tables } = this.#options;
    const names = storage.kv.delete(KEY) ? tableNames(sql, own) : [];
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

  /** All rows, by table. Throws `too_large` where they have more than about `bytes` as JSON. */
  rows(bytes: number): TableRows {
    const { sql } = this.#options;
    const rest = { bytes };
    return Object.fromEntries(this.#names().map((name) => [name, rowsIn(sql, name, rest)]));
  }

  /**
   * In a transaction. Throws `invalid_arguments` for a table or column that is not there, and for rows that it refuses.
   */
  fill(rows: TableRows): void {
    if (Object.keys(rows).length > 0) this.#options.storage.create();
    fillTables(this.#options.sql, this.#names(), rows);
  }
}
