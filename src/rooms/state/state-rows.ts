// The stored state: a checkpoint of the whole state, and later changes in the rows of the log. A checkpoint is written
// with the commit that needs it, before rows with changes can be overwritten or expire.

import type { History } from "../../model/options.ts";
import type { PartStorage } from "../../model/stored-values.ts";
import type { StateEntry } from "../rpc/log-entry.ts";

const TABLE = `CREATE TABLE IF NOT EXISTS room_state (id INTEGER PRIMARY KEY, version INTEGER, offset INTEGER,
  saved INTEGER, json TEXT)`;

/** The most rows of the log, of any kind, from the oldest change that is in no checkpoint. */
const ROWS_AT_MOST = 64;
/** Characters of changes that even a small state may have after its checkpoint. */
const CHANGE_CHARS = 4096;

export interface Checkpoint {
  readonly version: number;
  /** The log's offset up to which changes are in the checkpoint. */
  readonly offset: number;
  /** The offset up to which the state was saved elsewhere; -1: not at all. */
  readonly saved: number;
  readonly json: string;
}

export class StateRows {
  readonly #sql: PartStorage["sql"];
  readonly #history: History;
  /** Whether the log keeps entries: without them every change needs a checkpoint. */
  readonly #isLogged: boolean;
  #hasRow = false;
  /** Rows, characters and time of the changes after the checkpoint. */
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

  /** The checkpoint's offset; undefined without one. Does not read its JSON. */
  get offset(): number | undefined {
    return this.#figure("offset");
  }

  /** The size of the checkpoint's JSON; undefined without one. */
  get bytes(): number | undefined {
    return this.#figure("octet_length(json)");
  }

  /** Whether the checkpoint may have changes that are not saved elsewhere. */
  get isUnsaved(): boolean {
    return this.#figure("saved < offset") === 1;
  }

  #figure(figure: string): number | undefined {
    const rows = this.#sql.exec<{ figure: number }>(`SELECT ${figure} AS figure FROM room_state`);
    return rows.toArray()[0]?.figure;
  }

  /** Counts a change of the state that is in the log, or is about to be. */
  count({ change, params, at }: StateEntry): void {
    this.#chars += (change ?? params).length;
    this.#oldestAt ??= at;
  }

  /** Counts a row of the log, of any kind, that was written or is about to be. */
  countRow(): void {
    if (this.#oldestAt !== undefined) this.#rows++;
  }

  /** Whether a checkpoint must be written now; `size` is about the size of the state's text. */
  isDue(size: number, now: number): boolean {
    // Without entries only the checkpoint stores the offset.
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

  /** Called when the row is of an older version: the next change replaces it. */
  outdated(): void {
    this.#hasRow = false;
  }

  /** Whether there are changes that only the log has. */
  get isBehind(): boolean {
    return this.#oldestAt !== undefined;
  }

  write({ version, offset, saved, json }: Checkpoint): void {
    const row = [version, offset, saved, json];
    this.#sql.exec("INSERT OR REPLACE INTO room_state VALUES (0, ?, ?, ?, ?)", ...row);
  }

  /** Called when the transaction of a checkpoint has succeeded. */
  written(): void {
    [this.#hasRow, this.#rows, this.#chars, this.#oldestAt] = [true, 0, 0, undefined];
  }

  /**
   * Moves the checkpoint to a later offset, if the log has no change in between. A state that was saved elsewhere still
   * counts as saved.
   */
  moveTo(offset: number): void {
    const saved = "iif(saved >= offset, max(saved, ?), saved)";
    this.#sql.exec(`UPDATE room_state SET saved = ${saved}, offset = ?`, offset, offset);
  }

  saved(offset: number): void {
    this.#sql.exec("UPDATE room_state SET saved = ?", offset);
  }

  forget(): void {
    [this.#hasRow, this.#rows, this.#chars, this.#oldestAt] = [false, 0, 0, undefined];
  }
}
