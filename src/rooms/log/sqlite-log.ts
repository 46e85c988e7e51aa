// A room's log in SQLite: one row for each batch of entries, in slots that are overwritten, because a deleted row is
// billed like a written one. Readers skip expired entries. Their rows are overwritten by the next batch, or erased by
// alarm if none comes. The index of batches is in memory, and is read at each wake.

import { isStorageDamage, storageCorrupt } from "../platform/object-storage.ts";
import type { PartStorage } from "../../model/stored-values.ts";
import type { History } from "../../model/options.ts";
import type { Position } from "../../model/topic.ts";
import type { BesideLog, RoomLog } from "./room-log.ts";
import { BatchIndex, IdIndex, type Batch } from "./log-index.ts";
import { pageOf, type ReadRow } from "./log-pages.ts";
import { BATCH, BATCH_CHARS, batchOver, ROW_CHARS, rowsOf, upTo, type Row } from "./log-rows.ts";
import { OWN_TARGET, type Entry, type HistoryQuery, type HistoryView } from "../rpc/log-entry.ts";

const TABLE = `CREATE TABLE IF NOT EXISTS log (slot INTEGER PRIMARY KEY,
  first INTEGER, last INTEGER, at INTEGER, messages INTEGER, before INTEGER, entries TEXT)`;
const ENTRIES = "SELECT entries FROM log WHERE slot = ?";
const INSERT = "INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?, ?, ?)";
const EMPTY = "UPDATE log SET first = last + 1, before = last, entries = '[]' WHERE slot = ?";
const BATCHES = "SELECT slot, first, last, at, messages, before FROM log ORDER BY last";

/** Whether an entry is presence or a change of state, and no message of the hub. */
const isPresence = (entry: { target: string }): boolean => entry.target.startsWith(OWN_TARGET);

/** `arm` requests a call of `expire`: it is called when the first entries of an empty log are written. */
interface LogHistory extends History {
  readonly arm?: (at: number) => void;
  readonly object?: string | undefined;
  /** The part that writes its own rows in the commits of entries. */
  readonly beside?: BesideLog | undefined;
}

type LogStorage = Pick<PartStorage, "sql" | "transactionSync">;

export class SqliteLog implements RoomLog {
  readonly #storage: LogStorage;
  readonly #history: LogHistory;
  #epoch: string;
  /** The index. Undefined after a failed write or a change of all rows, until it is read again. */
  #read: BatchIndex | undefined;
  /** The table exists, so statements may bypass the check of `ObjectStorage`. */
  #isMade = false;
  /** Undefined until an id is first looked up. */
  #ids: IdIndex | undefined;

  constructor(storage: LogStorage, history: LogHistory, epoch: string) {
    this.#storage = storage;
    this.#history = history;
    this.#epoch = epoch;
    storage.sql.exec(TABLE);
    this.#read = this.#readIndex();
  }

  get #index(): BatchIndex {
    return (this.#read ??= this.#readIndex());
  }

  get position(): Position {
    return { epoch: this.#epoch, offset: this.#index.newestOffset };
  }

  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const isFirst = !this.#index.hasEntries;
    const { beside } = this.#history;
    if (beside) this.#restoring(() => beside.commit(entries, () => this.#writeEntries(entries)));
    else this.#writeEntries(entries);
    this.#ids?.add(entries);
    if (isFirst) this.#history.arm?.(this.expiresAt!);
  }

  #writeEntries(entries: readonly Entry[]): void {
    const text = JSON.stringify(entries);
    if (text.length <= ROW_CHARS) this.#write({ entries, text });
    else this.#writeAll([...rowsOf(entries)]);
  }

  /** Writes all rows or none. */
  #writeAll(rows: readonly Row[]): void {
    this.#restoring(() =>
      this.#storage.transactionSync(() => {
        for (const row of rows) this.#write(row);
      }),
    );
  }

  /** Runs a write. If it throws, nothing was written, and the index is read again. */
  #restoring(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#reload();
      throw error;
    }
  }

  #write({ entries, text }: Row): void {
    const [first, last] = [entries[0]!, entries.at(-1)!];
    const messages = entries.filter((entry) => !isPresence(entry)).length;
    const index = this.#index;
    const slot = index.slotFor(messages > 0, last.at);
    const before = index.lastWithMessages?.last ?? 0;
    const batch = { slot, first: first.offset, last: last.offset, at: last.at, messages, before };
    this.#insert([slot, batch.first, batch.last, batch.at, messages, before, text]);
    index.add(batch);
  }

  #insert(row: SqlStorageValue[]): void {
    const { sql } = this.#storage;
    const direct = this.#isMade ? sql.direct : undefined;
    try {
      (direct ?? sql).exec(INSERT, ...row);
      this.#isMade = true;
    } catch (error) {
      // Tried again through `ObjectStorage`, which handles damage and a table that a transaction took back.
      if (!direct || !isStorageDamage(error)) throw error;
      sql.exec(INSERT, ...row);
    }
  }

  find(id: string, now: number): number | undefined {
    const floor = this.#index.messagesFloor(now);
    if (!this.#ids || this.#ids.isOversized) this.#ids = new IdIndex(this.#entriesAfter(floor));
    const offset = this.#ids.get(id);
    return offset !== undefined && offset > floor ? offset : undefined;
  }

  since(...[since, now, most, isEnough = () => false]: Parameters<RoomLog["since"]>): HistoryView {
    const { position } = this;
    const missed = position.offset - since.offset;
    const isWhole =
      since.epoch === position.epoch &&
      missed >= 0 &&
      missed <= most &&
      (missed === 0 || this.#index.recovers(since.offset, now));
    const entries = isWhole ? upTo(this.#entriesAfter(since.offset), isEnough) : [];
    return { entries, position, recovered: isWhole };
  }

  page(query: HistoryQuery, now: number, most: number): HistoryView {
    const { position } = this;
    const log = { position, index: this.#index, rowOf: (batch: Batch) => this.#rowOf(batch) };
    return pageOf(log, { ...query, limit: Math.min(query.limit ?? Infinity, most) }, now);
  }

  after(offset: number): Entry[] | undefined {
    if (!this.#index.reaches(offset)) return undefined;
    return upTo(this.#entriesAfter(offset), batchOver(BATCH, BATCH_CHARS));
  }

  kept(offset: number): Entry[] {
    return [...this.#entriesAfter(offset)];
  }

  /** Twice the age after the oldest entries: a busy room then has at most one alarm for it in each age. */
  get expiresAt(): number | undefined {
    const { oldest } = this.#index;
    return oldest && oldest.at + 2 * this.#history.ttlSeconds * 1000;
  }

  get isEmpty(): boolean {
    return !this.#index.hasEntries;
  }

  /**
   * Keeps the rows of the newest batch, for its offset, and of the newest one with messages, to detect gaps, but
   * removes their entries.
   */
  expire(now: number): void {
    const { sql } = this.#storage;
    const index = this.#index;
    const youngest = now - this.#history.ttlSeconds * 1000;
    const newest = index.after(index.newestOffset - 1).at(-1);
    const kept = [newest, index.lastWithMessages];
    const slots = kept.map((batch) => batch?.slot ?? -1);
    this.#storage.transactionSync(() => {
      sql.exec("DELETE FROM log WHERE at < ? AND slot NOT IN (?, ?)", youngest, ...slots);
      for (const batch of new Set(kept))
        if (batch && batch.at < youngest && batch.first <= batch.last) sql.exec(EMPTY, batch.slot);
    });
    this.#reload();
  }

  /** Replaces all rows by one without entries, which has the newest offset. */
  clear(now: number): void {
    const { offset } = this.position;
    this.#storage.transactionSync(() => {
      this.#storage.sql.exec("DELETE FROM log");
      if (offset > 0) this.begin(offset, now);
    });
  }

  /** Makes the offsets of a log without entries continue after this one. */
  begin(offset: number, at = 0): void {
    this.#insert([0, offset + 1, offset, at, 1, offset, "[]"]);
    this.#reload();
  }

  erase(epoch: string): void {
    this.#storage.sql.exec("DELETE FROM log");
    this.#epoch = epoch;
    this.#reload();
  }

  #reload(): void {
    [this.#read, this.#ids] = [undefined, undefined];
  }

  #readIndex(): BatchIndex {
    const rows = this.#storage.sql.exec(BATCHES).toArray() as unknown as Batch[];
    return new BatchIndex(this.#history, rows);
  }

  /** Reads each row when its first entry is needed. */
  *#entriesAfter(after: number): Iterable<Entry> {
    for (const batch of this.#index.after(after))
      for (const entry of this.#rowOf(batch).entries) if (entry.offset > after) yield entry;
  }

  /** Reads one row by its key, so that the cost does not depend on the length of the history. */
  #rowOf({ slot }: Batch): ReadRow {
    const [row] = this.#storage.sql.exec(ENTRIES, slot);
    const text = row?.["entries"] as string;
    try {
      return { entries: JSON.parse(text) as Entry[], chars: text.length };
    } catch (error) {
      throw storageCorrupt(this.#history.object, error);
    }
  }
}
