// A room's log in SQLite: one row for each batch of entries, in a ring of slots that are overwritten, since a deleted
// row is billed like a written one. Retention is decided on reading. The index of batches is in memory, and read at
// each wake.

import type { History } from "../../model/options.ts";
import type { Position } from "../../model/position.ts";
import type { RoomLog } from "./room-log.ts";
import { ROW_CHARS, rowsOf, within, type Row } from "./log-rows.ts";
import type { Entry, HistoryQuery, HistoryView } from "../rpc/log-entry.ts";

/** A row of the log, without its entries. */
interface Batch {
  readonly slot: number;
  /** Offset of the first entry. */
  readonly first: number;
  /** Offset of the last entry. */
  readonly last: number;
  /** When the last entry was published; milliseconds since 1970. */
  readonly at: number;
  /** Messages of the hub among the entries; presence does not count against the history's size. */
  readonly messages: number;
  /** Last offset of the batch with messages before this one: a gap among the messages shows here. */
  readonly before: number;
}

/** Rows with presence alone have slots of their own, so that joins and leaves never overwrite a message. */
const PRESENCE_SLOTS_PER_MESSAGE = 3;
const TABLE = `CREATE TABLE IF NOT EXISTS log (slot INTEGER PRIMARY KEY,
  first INTEGER, last INTEGER, at INTEGER, messages INTEGER, before INTEGER, entries TEXT)`;
const BATCHES = "SELECT slot, first, last, at, messages, before FROM log ORDER BY first";

/** Whether an entry is the protocol's own, and no message of the hub. */
export const isPresence = (entry: { target: string }): boolean => entry.target.startsWith("$/");

type LogStorage = Pick<DurableObjectStorage, "sql" | "transactionSync">;

export class SqliteLog implements RoomLog {
  readonly #storage: LogStorage;
  readonly #history: History;
  #epoch: string;
  #batches: Batch[];
  /** Undefined until an id is first looked up. */
  #ids: IdIndex | undefined;

  constructor(storage: LogStorage, history: History, epoch: string) {
    this.#storage = storage;
    this.#history = history;
    this.#epoch = epoch;
    storage.sql.exec(TABLE);
    this.#batches = storage.sql.exec(BATCHES).toArray() as unknown as Batch[];
  }

  get position(): Position {
    return { epoch: this.#epoch, offset: this.#batches.at(-1)?.last ?? 0 };
  }

  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const text = JSON.stringify(entries);
    if (text.length <= ROW_CHARS) this.#write({ entries, text });
    else this.#writeAll([...rowsOf(entries)]);
    this.#ids?.add(entries);
  }

  /** All rows or none. */
  #writeAll(rows: readonly Row[]): void {
    const before = this.#batches;
    this.#batches = [...before];
    try {
      this.#storage.transactionSync(() => {
        for (const row of rows) this.#write(row);
      });
    } catch (error) {
      this.#batches = before;
      throw error;
    }
  }

  #write({ entries, text }: Row): void {
    const [first, last] = [entries[0]!, entries.at(-1)!];
    const messages = entries.filter((entry) => !isPresence(entry)).length;
    const slot = this.#slotFor(messages > 0);
    const before = this.#lastWithMessages?.last ?? 0;
    const batch = { slot, first: first.offset, last: last.offset, at: last.at, messages, before };
    const row = [slot, batch.first, batch.last, batch.at, messages, before, text];
    this.#storage.sql.exec("INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?, ?, ?)", ...row);
    this.#replace(batch);
  }

  /** The slot after the newest of its kind: messages have even ones, presence odd ones. */
  #slotFor(messages: boolean): number {
    const size = Math.max(1, this.#history.size);
    const count = messages ? size : size * PRESENCE_SLOTS_PER_MESSAGE;
    const newest = this.#batches.findLast((batch) => batch.messages > 0 === messages)?.slot ?? -2;
    return ((Math.floor(newest / 2) + 1) % count) * 2 + (messages ? 0 : 1);
  }

  get #lastWithMessages(): Batch | undefined {
    return this.#batches.findLast(({ messages }) => messages > 0);
  }

  /** Mirrors the overwritten row in the index: most often the oldest batch. */
  #replace(batch: Batch): void {
    const index = this.#batches.findIndex(({ slot }) => slot === batch.slot);
    if (index >= 0) this.#batches.splice(index, 1);
    this.#batches.push(batch);
  }

  find(id: string, now: number): number | undefined {
    const floor = this.#messagesFloor(now);
    if (!this.#ids || this.#ids.isOversized) this.#ids = new IdIndex(this.#read(floor));
    const offset = this.#ids.get(id);
    return offset !== undefined && offset > floor ? offset : undefined;
  }

  since(since: Position, now: number, most: number): HistoryView {
    const { position } = this;
    const missed = position.offset - since.offset;
    const isWhole =
      since.epoch === position.epoch &&
      missed >= 0 &&
      missed <= most &&
      (missed === 0 || since.offset >= this.#floor(now));
    return { entries: isWhole ? this.#read(since.offset) : [], position, recovered: isWhole };
  }

  page({ since, limit = Infinity, reverse }: HistoryQuery, now: number, most: number): HistoryView {
    const { position } = this;
    const floor = this.#messagesFloor(now);
    const recovered =
      !since ||
      (since.epoch === position.epoch && since.offset >= floor && since.offset <= position.offset);
    const from = Math.max(floor, since?.offset ?? 0);
    const all = recovered ? this.#read(from).filter((entry) => !isPresence(entry)) : [];
    const count = Math.min(limit, most);
    if (since && !reverse) return { entries: within(all.slice(0, count)), position, recovered };
    const newest = within(all.slice(Math.max(0, all.length - count)).toReversed());
    return { entries: reverse ? newest : newest.toReversed(), position, recovered };
  }

  after(offset: number): Entry[] | undefined {
    return offset >= this.#reach(() => true) ? this.#read(offset) : undefined;
  }

  /** Replaces all rows by one without entries, which keeps the newest offset. */
  clear(now: number): void {
    const { offset } = this.position;
    if (offset === 0) return;
    this.#storage.transactionSync(() => {
      this.#storage.sql.exec("DELETE FROM log");
      const row = [0, offset + 1, offset, now, 1, offset, "[]"];
      this.#storage.sql.exec("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)", ...row);
    });
    this.#reload();
  }

  erase(epoch: string): void {
    this.#storage.sql.exec("DELETE FROM log");
    this.#epoch = epoch;
    this.#reload();
  }

  #reload(): void {
    this.#batches = this.#storage.sql.exec(BATCHES).toArray() as unknown as Batch[];
    this.#ids = undefined;
  }

  /** Entries up to this offset are not given any more: too old, beyond the history's size, or before a gap. */
  #floor(now: number): number {
    return Math.max(
      this.#reach((batch) => this.#isYoung(batch, now)),
      this.#messagesFloor(now),
    );
  }

  #isYoung({ at }: Batch, now: number): boolean {
    return at >= now - this.#history.ttlSeconds * 1000;
  }

  /** The same for messages alone, whose gaps do not include presence that was overwritten. */
  #messagesFloor(now: number): number {
    let floor = this.#lastWithMessages?.last ?? 0;
    let messages = 0;
    for (const batch of this.#batches.toReversed()) {
      if (batch.messages === 0) continue;
      if (batch.last !== floor || messages >= this.#history.size || !this.#isYoung(batch, now))
        break;
      messages += batch.messages;
      floor = batch.before;
    }
    return floor;
  }

  /**
   * The offset down to which batches follow on each other without a gap, from the newest, as long as they are `wanted`.
   */
  #reach(wanted: (batch: Batch) => boolean): number {
    let floor = this.position.offset;
    for (const batch of this.#batches.toReversed()) {
      if (batch.last !== floor || !wanted(batch)) break;
      floor = batch.first - 1;
    }
    return floor;
  }

  #read(after: number): Entry[] {
    return this.#storage.sql
      .exec("SELECT entries FROM log WHERE last > ? ORDER BY first", after)
      .toArray()
      .flatMap(({ entries }) => JSON.parse(entries as string) as Entry[])
      .filter(({ offset }) => offset > after);
  }
}

/**
 * Offsets of messages by publication id. In memory, read from the log when an id is first looked up. It grows with each
 * append, and is to be read again once half of it may be out of the history.
 */
class IdIndex {
  readonly #offsets = new Map<string, number>();
  readonly #most: number;

  constructor(entries: readonly Entry[]) {
    this.add(entries);
    this.#most = 2 * this.#offsets.size + 1_000;
  }

  get isOversized(): boolean {
    return this.#offsets.size > this.#most;
  }

  add(entries: readonly Entry[]): void {
    for (const { id, offset } of entries) if (id !== undefined) this.#offsets.set(id, offset);
  }

  get(id: string): number | undefined {
    return this.#offsets.get(id);
  }
}
