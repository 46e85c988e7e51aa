// The queue of events that a receiver has not acknowledged, in the object's SQLite. Events of one transaction share a
// row, written in the commit of the change that they report: neither is ever stored without the other.

import type { Sql } from "../model/stored-values.ts";
import type { QueuedEvent } from "./cloud-events.ts";

/** Most events of one request … */
export const EVENTS_A_REQUEST = 100;
/** … and most characters, unless a single event has more. */
export const CHARS_A_REQUEST = 256 * 1024;

export interface QueueLimits {
  /** Most events in the queue. Beyond it the oldest are dropped, a hundredth at once: each time writes a log line. */
  readonly events: number;
  /** Most characters in the queue; likewise. */
  readonly chars: number;
  /** Age in milliseconds after which an event is dropped unsent. */
  readonly ageMs: number;
}

export interface Batch {
  /**
   * The first event's id and the number of events: equal at every attempt, so that receivers can detect repetitions.
   */
  readonly id: string;
  /** The number of its last row, for `acknowledge`. */
  readonly last: number;
  readonly rows: number;
  readonly count: number;
  /** The events as a JSON array. */
  readonly text: string;
}

/** One row to write: several events, joined by commas. */
interface RowContent {
  readonly id: string;
  readonly count: number;
  readonly text: string;
}

type Row = { number: number; id: string; count: number; events: string };

const TABLE = `CREATE TABLE IF NOT EXISTS webhooks (number INTEGER PRIMARY KEY, at INTEGER,
  id TEXT, count INTEGER, size INTEGER, events TEXT)`;
const TOTALS =
  "SELECT total(count) AS count, total(size) AS size, ifnull(max(number), 0) AS last FROM webhooks";
const OLDEST = "(SELECT min(number) FROM webhooks)";
const INSERT = "INSERT OR REPLACE INTO webhooks VALUES (?, ?, ?, ?, ?, ?)";
/** Of the limits, where one was exceeded. */
const KEPT_PART = 0.99;

/** One object's queue. Its totals are kept in memory and read from the table after a wake-up. */
export class Queue {
  readonly #sql: Sql;
  readonly #limits: QueueLimits;
  #count = 0;
  #size = 0;
  #last = 0;

  constructor(sql: Sql, limits: QueueLimits) {
    this.#sql = sql;
    this.#limits = limits;
    sql.exec(TABLE);
    this.#readTotals();
  }

  #readTotals(): void {
    const [row] = this.#sql.exec<Record<string, number>>(TOTALS);
    const { count = 0, size = 0, last = 0 } = row ?? {};
    [this.#count, this.#size, this.#last] = [count, size, last];
  }

  /** The number of events in the queue. */
  get size(): number {
    return this.#count;
  }

  /** When the oldest event was queued. */
  get since(): number {
    return (this.#read("at", OLDEST) ?? 0) as number;
  }

  /**
   * Appends events, in order, and drops the oldest beyond the limits: returns how many. Part of the caller's
   * transaction; throws what the storage throws.
   */
  add(events: readonly QueuedEvent[], at: number): number {
    for (const { id, count, text } of rowsOf(events)) {
      this.#sql.exec(INSERT, this.#last + 1, at, id, count, text.length, text);
      this.#last++;
      this.#count += count;
      this.#size += text.length;
    }
    let dropped = 0;
    if (this.#exceeds(1))
      while (this.#exceeds(KEPT_PART)) dropped += this.#delete(`number = ${OLDEST}`);
    return dropped;
  }

  /** A column of one row. */
  #read(column: "at" | "events", row: string, ...values: number[]): SqlStorageValue | undefined {
    const query = `SELECT ${column} FROM webhooks WHERE number = ${row}`;
    return this.#sql.exec(query, ...values).toArray()[0]?.[column];
  }

  #exceeds(part: number): boolean {
    const { events, chars } = this.#limits;
    return this.#count > events * part || this.#size > chars * part;
  }

  /**
   * The oldest events that fit into one request; undefined where there are none. Removes nothing. `upTo` is the last
   * row to include: it repeats an earlier batch although events were added since. Rows up to `alone` are batches of
   * their own.
   */
  next(upTo = Infinity, alone = -Infinity): Batch | undefined {
    const rows = this.#sql.exec<Row>(
      "SELECT number, id, count, events FROM webhooks ORDER BY number",
    );
    const texts: string[] = [];
    let [first, last, count, size] = ["", -Infinity, 0, 0];
    for (const { number, id, count: more, events } of rows) {
      const isFull = count + more > EVENTS_A_REQUEST || size + events.length > CHARS_A_REQUEST;
      if (number > upTo || (texts.length > 0 && (isFull || last <= alone))) break;
      first ||= id;
      texts.push(events);
      [last, count, size] = [number, count + more, size + events.length];
    }
    if (texts.length === 0) return undefined;
    const [id, text] = [`${first}-${count}`, `[${texts.join(",")}]`];
    return { id, last, rows: texts.length, count, text };
  }

  /**
   * Gives each event of the oldest row one of its own: numbers below are free. The last event takes the row itself, so
   * that a failure before repeats events and loses none.
   */
  split(number: number): void {
    const at = this.#read("at", "?", number) as number;
    const texts = eventsIn((this.#read("events", "?", number) ?? "") as string);
    for (const [index, text] of texts.entries()) {
      const { id } = JSON.parse(text) as QueuedEvent;
      const own = number - texts.length + 1 + index;
      this.#sql.exec(INSERT, own, at, id, 1, text.length, text);
    }
    this.#readTotals();
  }

  /** Removes all rows up to this one, once the receiver has acknowledged them. */
  acknowledge(last: number): void {
    this.#delete("number <= ?", last);
  }

  /** Drops events that are too old, and returns how many. */
  drop(now: number): number {
    const youngest = now - this.#limits.ageMs;
    // They are in the order of their age: all are looked at only where there is one to drop.
    const isDue = this.#count > 0 && this.since <= youngest;
    return isDue ? this.#delete("at <= ?", youngest) : 0;
  }

  #delete(condition: string, ...values: number[]): number {
    const statement = `DELETE FROM webhooks WHERE ${condition} RETURNING count, size`;
    let events = 0;
    for (const { count, size } of this.#sql.exec(statement, ...values).toArray()) {
      events += count as number;
      this.#size -= size as number;
    }
    this.#count -= events;
    return events;
  }
}

/** Rows for the events, mostly one: none is larger than a request, so that every row can be sent. */
function* rowsOf(events: readonly QueuedEvent[]): Iterable<RowContent> {
  let pending: QueuedEvent[] = [];
  let size = 0;
  for (const event of events) {
    const isFull =
      pending.length === EVENTS_A_REQUEST || size + event.text.length > CHARS_A_REQUEST;
    if (pending.length > 0 && isFull) {
      yield rowOf(pending);
      [pending, size] = [[], 0];
    }
    pending.push(event);
    size += event.text.length + 1;
  }
  if (pending.length > 0) yield rowOf(pending);
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}]/gs;

/** The texts of a row's events, unchanged: numbers in them may have more digits than JavaScript's. */
function eventsIn(row: string): string[] {
  const events: string[] = [];
  let [depth, from] = [0, 0];
  for (const { 0: token, index } of row.matchAll(TOKEN)) {
    if (token === "{") depth++;
    if (token !== "}" || --depth > 0) continue;
    events.push(row.slice(from, index + 1));
    from = index + 2;
  }
  return events;
}

const rowOf = (events: readonly QueuedEvent[]): RowContent => ({
  id: events[0]!.id,
  count: events.length,
  text: events.map(({ text }) => text).join(","),
});
