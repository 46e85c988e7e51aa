// A room's numbered log in SQLite: one row a batch, in a ring of slots that are overwritten, since a deleted row is
// billed like a written one. What is kept is decided on reading; the index of batches is kept in memory.

import type { History } from "../model/options.ts";
import type { Position } from "../model/position.ts";
import type { Entry, HistoryQuery, HistoryView } from "./receiver.ts";

export interface RoomLog {
  /** Where the log stands: the newest entry that was appended. */
  readonly position: Position;
  /** Takes entries that follow on the position. Throws what the storage throws; nothing of them counts then. */
  append(entries: readonly Entry[]): void;
  /** Whether something was said under this id and is still remembered. */
  knows(id: string, now: number): boolean;
  /** All after `since`, or nothing with `recovered: false`: never a part. */
  since(since: Position, now: number, most: number): HistoryView;
  /** A page of messages, without presence. */
  page(query: HistoryQuery, now: number, most: number): HistoryView;
  /** All after this offset, for repairs, without regard to age; undefined where it is no longer whole. */
  after(offset: number): Entry[] | undefined;
}

interface Batch {
  readonly slot: number;
  readonly first: number;
  readonly last: number;
  readonly at: number;
  /** Entries of hubs; presence rides along and does not count against the history's size. */
  readonly messages: number;
}

/** A row may have 2 MB in production (locally more passes): characters, so that three bytes for each still fit. */
const ROW_CHARS = 300_000;
/** Presence and small batches take slots too: more slots than messages, so that those are kept all the same. */
const SLOTS_PER_MESSAGE = 4;
const TABLE = `CREATE TABLE IF NOT EXISTS log
  (slot INTEGER PRIMARY KEY, first INTEGER, last INTEGER, at INTEGER, messages INTEGER, entries TEXT)`;

export const isPresence = (entry: { target: string }): boolean => entry.target.startsWith("$/");

export class Log implements RoomLog {
  readonly #sql: SqlStorage;
  readonly #history: History;
  readonly #epoch: string;
  readonly #slots: number;
  #batches: Batch[];
  #ids: Map<string, number> | undefined;

  constructor(sql: SqlStorage, history: History, epoch: string) {
    this.#sql = sql;
    this.#history = history;
    this.#epoch = epoch;
    this.#slots = Math.max(1, history.size) * SLOTS_PER_MESSAGE;
    sql.exec(TABLE);
    this.#batches = sql
      .exec("SELECT slot, first, last, at, messages FROM log ORDER BY first")
      .toArray() as unknown as Batch[];
  }

  get position(): Position {
    return { epoch: this.#epoch, offset: this.#batches.at(-1)?.last ?? 0 };
  }

  append(entries: readonly Entry[]): void {
    for (const row of rowsOf(entries)) this.#write(row);
    for (const { id, offset } of entries) if (id !== undefined) this.#ids?.set(id, offset);
  }

  #write(entries: readonly Entry[]): void {
    const [first, last] = [entries[0]!, entries.at(-1)!];
    const batch: Batch = {
      slot: ((this.#batches.at(-1)?.slot ?? -1) + 1) % this.#slots,
      first: first.offset,
      last: last.offset,
      at: last.at,
      messages: entries.filter((entry) => !isPresence(entry)).length,
    };
    const text = JSON.stringify(entries);
    const row = [batch.slot, batch.first, batch.last, batch.at, batch.messages, text];
    this.#sql.exec("INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?, ?)", ...row);
    this.#replace(batch);
  }

  /** Most often the oldest goes; after the hub's history was made smaller, another one. */
  #replace(batch: Batch): void {
    if (this.#batches[0]?.slot === batch.slot) this.#batches.shift();
    else if (this.#batches.length >= this.#slots)
      this.#batches = this.#batches.filter(({ slot }) => slot !== batch.slot);
    this.#batches.push(batch);
  }

  knows(id: string, now: number): boolean {
    const floor = this.#floor(now);
    if (!this.#ids || this.#ids.size > this.#slots * 8) this.#ids = idsOf(this.#read(floor));
    const offset = this.#ids.get(id);
    return offset !== undefined && offset > floor;
  }

  since(since: Position, now: number, most: number): HistoryView {
    const { position } = this;
    const missed = position.offset - since.offset;
    const whole =
      since.epoch === position.epoch &&
      missed >= 0 &&
      missed <= most &&
      (missed === 0 || since.offset >= this.#floor(now));
    return { entries: whole ? this.#read(since.offset) : [], position, recovered: whole };
  }

  page({ since, limit = Infinity, reverse }: HistoryQuery, now: number, most: number): HistoryView {
    const { position } = this;
    const floor = this.#floor(now);
    const recovered =
      !since ||
      (since.epoch === position.epoch && since.offset >= floor && since.offset <= position.offset);
    const from = Math.max(floor, since?.offset ?? 0);
    const all = recovered ? this.#read(from).filter((entry) => !isPresence(entry)) : [];
    const count = Math.min(limit, most);
    const page =
      since && !reverse ? all.slice(0, count) : all.slice(Math.max(0, all.length - count));
    return { entries: reverse ? page.toReversed() : page, position, recovered };
  }

  after(offset: number): Entry[] | undefined {
    const floor = this.#reach(() => true);
    return offset >= floor ? this.#read(offset) : undefined;
  }

  /** Entries up to this offset are forgotten: too old, or beyond the size. */
  #floor(now: number): number {
    const oldest = now - this.#history.ttlSeconds * 1000;
    return this.#reach((batch, messages) => batch.at >= oldest && messages < this.#history.size);
  }

  /** How far back the log goes, from the newest batch, without a hole and while it is wanted. */
  #reach(wanted: (batch: Batch, messages: number) => boolean): number {
    let floor = this.position.offset;
    let messages = 0;
    for (const batch of this.#batches.toReversed()) {
      if (batch.last !== floor || !wanted(batch, messages)) break;
      messages += batch.messages;
      floor = batch.first - 1;
    }
    return floor;
  }

  #read(after: number): Entry[] {
    return this.#sql
      .exec("SELECT entries FROM log WHERE last > ? ORDER BY first", after)
      .toArray()
      .flatMap(({ entries }) => JSON.parse(entries as string) as Entry[])
      .filter(({ offset }) => offset > after);
  }
}

const idsOf = (entries: readonly Entry[]): Map<string, number> =>
  new Map(entries.flatMap(({ id, offset }) => (id === undefined ? [] : [[id, offset]])));

/** Entries as rows: most often one. */
function* rowsOf(entries: readonly Entry[]): Iterable<readonly Entry[]> {
  let start = 0;
  let size = 0;
  for (const [index, { params }] of entries.entries()) {
    if (size > 0 && size + params.length > ROW_CHARS) {
      yield entries.slice(start, index);
      [start, size] = [index, 0];
    }
    size += params.length;
  }
  if (start < entries.length) yield entries.slice(start);
}
