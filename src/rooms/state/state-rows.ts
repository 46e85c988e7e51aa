// The state in storage: a checkpoint of all of it, and the changes in the rows of the log after that. A checkpoint is
// written with the commit that needs it, before rows with changes can be overwritten or expire.

import type { History } from "../../model/options.ts";
import type { PartStorage } from "../../model/stored-values.ts";
import type { StateEntry } from "../rpc/log-entry.ts";

const TABLE = `CREATE TABLE IF NOT EXISTS room_state (id INTEGER PRIMARY KEY, version INTEGER, offset INTEGER,
  saved INTEGER, json TEXT)`;

/** Rows of the log, of any kind, until changes in them are in a checkpoint. */
const ROWS_AT_MOST = 64;
/** Characters of changes that a small state may have beside it. */
const CHANGE_CHARS = 4096;

export interface Checkpoint {
  readonly version: number;
  /** The log's offset up to which changes are in it. */
  readonly offset: number;
  /** The offset up to which the state was saved elsewhere; -1: not at all. */
  readonly saved: number;
  readonly json: string;
}

export class StateRows {
  readonly #sql: PartStorage["sql"];
  readonly #history: History;
  /** Whether the log keeps entries: without them every change is a checkpoint. */
  readonly #isLogged: boolean;
  #hasRow = false;
  /** Rows, characters and time of changes that no checkpoint has. */
  #rows = 0;
  #chars = 0;
  #oldestAt: number | undefined;

  constructor(sql: PartStorage["sql"], history: History, isLogged: boolean) {
    this.#sql = sql;
    this.#history = history;
    this.#isLogged = isLogged;
    sql.exec(TABLE);
  }

  read(): Checkpoint | undefined {
    const [row] = this.#sql.exec("SELECT version, offset, saved, json FROM room_state").toArray();
    this.#hasRow = row !== undefined;
    return row as unknown as Checkpoint | undefined;
  }

  /** Of the checkpoint; undefined without one. Its text is not read for it. */
  get offset(): number | undefined {
    return this.#figure("offset");
  }

  /** Likewise, of its JSON. */
  get bytes(): number | undefined {
    return this.#figure("octet_length(json)");
  }

  /** Likewise: whether it may have changes that are not saved elsewhere. */
  get isUnsaved(): boolean {
    return this.#figure("saved < offset") === 1;
  }

  #figure(figure: string): number | undefined {
    const rows = this.#sql.exec<{ figure: number }>(`SELECT ${figure} AS figure FROM room_state`);
    return rows.toArray()[0]?.figure;
  }

  /** A change of the state is in the log, or is about to be. */
  count({ change, params, at }: StateEntry): void {
    this.#chars += (change ?? params).length;
    this.#oldestAt ??= at;
  }

  /** A row of the log was written, or is about to be, of any kind. */
  countRow(): void {
    if (this.#oldestAt !== undefined) this.#rows++;
  }

  /** Whether the state must be written now; `size` is that of its text, about. */
  isDue(size: number, now: number): boolean {
    // Without entries the offset is kept here alone.
    if (!this.#isLogged) return true;
    if (this.#oldestAt === undefined) return false;
    const { size: messages, ttlSeconds } = this.#history;
    return (
      !this.#hasRow ||
      this.#rows >= Math.min(ROWS_AT_MOST, messages) ||
      this.#chars > Math.max(CHANGE_CHARS, size) ||
      this.#oldestAt < now - (ttlSeconds * 1000) / 2
    );
  }

  /** The row is of an older version: the next change replaces it. */
  outdated(): void {
    this.#hasRow = false;
  }

  /** Changes are in the log alone. */
  get isBehind(): boolean {
    return this.#oldestAt !== undefined;
  }

  write({ version, offset, saved, json }: Checkpoint): void {
    const row = [version, offset, saved, json];
    this.#sql.exec("INSERT OR REPLACE INTO room_state VALUES (0, ?, ?, ?, ?)", ...row);
  }

  /** The checkpoint was written, in a transaction that has succeeded. */
  written(): void {
    [this.#hasRow, this.#rows, this.#chars, this.#oldestAt] = [true, 0, 0, undefined];
  }

  /**
   * The log has no change up to here that the checkpoint has not. The state that was saved elsewhere is still saved.
   */
  moveTo(offset: number): void {
    const saved = "iif(saved >= offset, max(saved, ?), saved)";
    this.#sql.exec(`UPDATE room_state SET saved = ${saved}, offset = ?`, offset, offset);
  }

  saved(offset: number): void {
    this.#sql.exec("UPDATE room_state SET saved = ?", offset);
  }

  /** In the transaction of an erasure. */
  erase(): void {
    this.#sql.exec("DELETE FROM room_state");
  }

  forget(): void {
    [this.#hasRow, this.#rows, this.#chars, this.#oldestAt] = [false, 0, 0, undefined];
  }
}
