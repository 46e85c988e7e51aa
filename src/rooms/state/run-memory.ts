// Answers of runs with keys, so that a repeated run gets the answer of the first. They are in the log's rows first, and
// in rows of this table from the next checkpoint on.

import type { PartStorage } from "../../model/stored-values.ts";
import { isService } from "../../model/user.ts";
import type { StoredRun } from "../rpc/log-entry.ts";
import type { Run } from "../rpc/state-rpc.ts";

const TABLE =
  "CREATE TABLE IF NOT EXISTS room_runs (slot INTEGER PRIMARY KEY, at INTEGER, json TEXT)";
/** The number of rows, which are overwritten in turn. */
const SLOTS = 256;
/** The most characters of a row, which has 2 MB at most. */
const ROW_CHARS = 300_000;
/** With so many characters a row is full: the next checkpoint begins another. All rows together have `MOST_CHARS`. */
const FULL_CHARS = 16_000;
/** How long answers are kept. */
const KEPT_MS = 10 * 60_000;
/** The most answers that are kept, and their characters. */
const MOST = 20_000;
const MOST_CHARS = 4_000_000;

interface RememberedRun {
  readonly offset: number;
  readonly result: string;
}

interface Kept extends RememberedRun {
  readonly at: number;
}

/** One of the rows, with the time at which it was begun. */
interface RunRow {
  readonly slot: number;
  readonly since: number;
  readonly runs: StoredRun[];
  chars: number;
}

/**
 * A run's key, scoped by user and action: applications may have keys that can be guessed, and a key gives access to the
 * answer. Guests have a new id with each connection. Services are marked, because a user may have the same id.
 */
export const scopedKey = ({ user, action, key }: Run): string | undefined =>
  key === undefined
    ? undefined
    : JSON.stringify([user?.id ?? null, action, key, ...(user && isService(user) ? [1] : [])]);

export class RunMemory {
  readonly #sql: PartStorage["sql"];
  /** By key, the oldest first. */
  readonly #runs = new Map<string, Kept>();
  #chars = 0;
  /** Runs in log rows since the last checkpoint. */
  #unwritten: StoredRun[] = [];
  #unwrittenChars = 0;
  /** The newest row; and the one that the transaction under way has written. */
  #row: RunRow | undefined;
  #written: RunRow | undefined;
  #isRead = false;

  constructor(sql: PartStorage["sql"]) {
    this.#sql = sql;
    sql.exec(TABLE);
  }

  find(key: string, now: number): RememberedRun | undefined {
    this.#read(now);
    const run = this.#runs.get(key);
    return run && run.at >= now - KEPT_MS ? run : undefined;
  }

  add([key, offset, result]: StoredRun, now: number): void {
    this.#read(now);
    this.#put(key, { offset, result, at: now });
    for (const [oldest, run] of this.#runs) {
      const isOver = this.#runs.size > MOST || this.#chars > MOST_CHARS;
      if (!isOver && run.at >= now - KEPT_MS) break;
      this.#remove(oldest);
    }
  }

  #put(key: string, run: Kept): void {
    this.#remove(key);
    this.#runs.set(key, run);
    this.#chars += key.length + run.result.length;
  }

  /** Called when the flush of this run was not saved. */
  drop(key: string): void {
    this.#remove(key);
    this.#unwritten = this.#unwritten.filter(([one]) => one !== key);
  }

  #remove(key: string): void {
    const run = this.#runs.get(key);
    if (!run) return;
    this.#runs.delete(key);
    this.#chars -= key.length + run.result.length;
  }

  /** Called for runs that are in a row of the log, or in one that is about to be written. */
  logged(runs: readonly StoredRun[]): void {
    this.#unwritten.push(...runs);
    for (const [key, , result] of runs) this.#unwrittenChars += key.length + result.length;
  }

  /** Whether so many characters wait for a checkpoint that one must be written. */
  get isDue(): boolean {
    return this.#unwrittenChars > ROW_CHARS;
  }

  /** Restores runs of the log's rows after a wake. */
  restore(runs: readonly StoredRun[], at: number): void {
    this.logged(runs);
    if (this.#isRead)
      for (const [key, offset, result] of runs) this.#put(key, { offset, result, at });
  }

  #read(now: number): void {
    if (this.#isRead) return;
    this.#isRead = true;
    const rows = this.#sql.exec<{ at: number; json: string }>(
      "SELECT at, json FROM room_runs WHERE at >= ? ORDER BY at",
      now - KEPT_MS,
    );
    for (const { at, json } of rows)
      for (const [key, offset, result] of JSON.parse(json) as StoredRun[])
        this.#put(key, { offset, result, at });
    for (const [key, offset, result] of this.#unwritten)
      this.#put(key, { offset, result, at: now });
  }

  /** Writes runs with a checkpoint, in its transaction. Appends to the newest row until it is full. */
  write(now: number): void {
    let row = this.#rowFor(now);
    for (const run of this.#unwritten) {
      if (row.chars + run[2].length > ROW_CHARS) {
        this.#writeRow(row, now);
        row = nextRow(row, now);
      }
      row.runs.push(run);
      row.chars += run[0].length + run[2].length;
    }
    if (this.#unwritten.length > 0) this.#writeRow(row, now);
    this.#written = row;
  }

  #rowFor(now: number): RunRow {
    const row = (this.#row ??= this.#newestRow());
    const isFull = row.chars >= FULL_CHARS || row.since < now - KEPT_MS;
    return isFull ? nextRow(row, now) : { ...row, runs: [...row.runs] };
  }

  #writeRow({ slot, runs }: RunRow, now: number): void {
    const row = [slot, now, JSON.stringify(runs)];
    this.#sql.exec("INSERT OR REPLACE INTO room_runs VALUES (?, ?, ?)", ...row);
  }

  /** Called when the transaction has succeeded. */
  written(): void {
    [this.#unwritten, this.#unwrittenChars, this.#row] = [[], 0, this.#written];
  }

  #newestRow(): RunRow {
    const [row] = this.#sql
      .exec<{ slot: number; at: number; json: string }>(
        "SELECT slot, at, json FROM room_runs ORDER BY at DESC, slot DESC LIMIT 1",
      )
      .toArray();
    if (!row) return { slot: -1, since: 0, runs: [], chars: FULL_CHARS };
    const { slot, at, json } = row;
    return { slot, since: at, runs: JSON.parse(json) as StoredRun[], chars: json.length };
  }

  forget(): void {
    this.#runs.clear();
    [this.#chars, this.#unwritten, this.#isRead] = [0, [], false];
    this.#unwrittenChars = 0;
    [this.#row, this.#written] = [undefined, undefined];
  }
}

/** The row after this one: rows are overwritten in turn. */
const nextRow = ({ slot }: RunRow, now: number): RunRow => ({
  ...{ slot: (slot + 1) % SLOTS, since: now },
  ...{ runs: [], chars: 0 },
});
