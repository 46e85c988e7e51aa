// The queue of events that a receiver has not acknowledged, in the object's SQLite. Events of one transaction share a
// row, written in the commit of the change that they report: neither is ever stored without the other.

import type { Sql } from "../model/stored-values.ts";
import type { QueuedEvent } from "./cloud-events.ts";

/** Most events of one request … */
export const EVENTS_A_REQUEST = 100;
/** … and most characters, unless a single event has more. */
export const CHARS_A_REQUEST = 256 * 1024;

export interface QueueLimits {
  /** Most events in the queue. Beyond it the oldest are dropped. */
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
const TOTALS = `SELECT COALESCE(SUM(count), 0) AS count, COALESCE(SUM(size), 0) AS size,
  COALESCE(MAX(number), 0) AS last FROM webhooks`;
const OLDEST = "(SELECT number FROM webhooks ORDER BY number LIMIT 1)";

/** One object's queue. Its totals are kept in memory and read from the table after a wake-up. */
export class Queue {
  readonly #sql: Sql;
  readonly #limits: QueueLimits;
  #count: number;
  #size: number;
  #last: number;
  #dropped = 0;

  constructor(sql: Sql, limits: QueueLimits) {
    this.#sql = sql;
    this.#limits = limits;
    sql.exec(TABLE);
    const [row] = sql.exec<Record<string, number>>(TOTALS);
    const { count = 0, size = 0, last = 0 } = row ?? {};
    [this.#count, this.#size, this.#last] = [count, size, last];
  }

  /** The number of events in the queue. */
  get size(): number {
    return this.#count;
  }

  /**
   * Appends events, in order, and drops the oldest beyond the limits. Part of the caller's transaction; throws what the
   * storage throws.
   */
  add(events: readonly QueuedEvent[], at: number): void {
    for (const { id, count, text } of rowsOf(events)) {
      const row = [this.#last + 1, at, id, count, text.length, text];
      this.#sql.exec("INSERT INTO webhooks VALUES (?, ?, ?, ?, ?, ?)", ...row);
      this.#last++;
      this.#count += count;
      this.#size += text.length;
    }
    const { events: most, chars } = this.#limits;
    while (this.#count > most || this.#size > chars)
      this.#dropped += this.#delete(`number = ${OLDEST}`);
  }

  /**
   * The oldest events that fit into one request; undefined where there are none. Removes nothing. `upTo` is the last
   * row to include: it repeats an earlier batch although events were added since.
   */
  next(upTo = Infinity): Batch | undefined {
    const rows = this.#sql.exec<Row>(
      "SELECT number, id, count, events FROM webhooks ORDER BY number",
    );
    const texts: string[] = [];
    let [first, last, count, size] = ["", 0, 0, 0];
    for (const { number, id, count: more, events } of rows) {
      const fits = count + more <= EVENTS_A_REQUEST && size + events.length <= CHARS_A_REQUEST;
      if (number > upTo || (texts.length > 0 && !fits)) break;
      first ||= id;
      texts.push(events);
      [last, count, size] = [number, count + more, size + events.length];
    }
    if (texts.length === 0) return undefined;
    return { id: `${first}-${count}`, last, count, text: `[${texts.join(",")}]` };
  }

  /** Removes all rows up to this one, once the receiver has acknowledged them. */
  acknowledge(last: number): void {
    this.#delete("number <= ?", last);
  }

  /** Drops events that are too old. Returns how many were dropped, for age or lack of space, since the last call. */
  drop(now: number): number {
    const youngest = now - this.#limits.ageMs;
    // They are in the order of their age: all are looked at only where there is one to drop.
    const [oldest] = this.#sql.exec<{ at: number }>(
      `SELECT at FROM webhooks WHERE number = ${OLDEST}`,
    );
    if (oldest && oldest.at <= youngest) this.#dropped += this.#delete("at <= ?", youngest);
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
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

const rowOf = (events: readonly QueuedEvent[]): RowContent => ({
  id: events[0]!.id,
  count: events.length,
  text: events.map(({ text }) => text).join(","),
});
