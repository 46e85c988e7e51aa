// What a receiver has not taken yet, in the object's SQLite: a row for all that happened in one moment, written in the
// commit of what it tells of, so that neither is without the other.

import type { QueuedEvent } from "./cloud-events.ts";

/** A request has so many events at most … */
export const EVENTS_A_REQUEST = 100;
/** … or so many characters, unless one event alone has more. */
export const CHARS_A_REQUEST = 256 * 1024;

export interface QueueLimits {
  /** Events that may wait; then the oldest make way. */
  readonly events: number;
  /** Characters of them. */
  readonly chars: number;
  /** Milliseconds after which an event is not sent any more. */
  readonly ageMs: number;
}

export interface Batch {
  /** The first event's id and their number: the same however often it is sent. */
  readonly id: string;
  /** The number of its last row. */
  readonly last: number;
  readonly count: number;
  /** A JSON array. */
  readonly text: string;
}

interface Piece {
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

export class Queue {
  readonly #sql: SqlStorage;
  readonly #limits: QueueLimits;
  #count: number;
  #size: number;
  #last: number;
  #dropped = 0;

  constructor(sql: SqlStorage, limits: QueueLimits) {
    this.#sql = sql;
    this.#limits = limits;
    sql.exec(TABLE);
    const { count, size, last } = sql.exec(TOTALS).one() as Record<string, number>;
    [this.#count, this.#size, this.#last] = [count!, size!, last!];
  }

  /** Events that wait. */
  get size(): number {
    return this.#count;
  }

  /** Throws what the storage throws. */
  add(events: readonly QueuedEvent[], at: number): void {
    for (const { id, count, text } of piecesOf(events)) {
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

  /** The oldest that fit into one request, and nothing after row `upTo`; undefined where nothing waits. */
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

  /** All up to this row was taken. */
  taken(last: number): void {
    this.#delete("number <= ?", last);
  }

  /** Forgets what is too old; gives how many were dropped since it was asked last, for whatever reason. */
  drop(now: number): number {
    if (this.#count > 0) this.#dropped += this.#delete("at <= ?", now - this.#limits.ageMs);
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  #delete(which: string, ...values: number[]): number {
    const gone = `DELETE FROM webhooks WHERE ${which} RETURNING count, size`;
    let events = 0;
    for (const { count, size } of this.#sql.exec(gone, ...values).toArray()) {
      events += count as number;
      this.#size -= size as number;
    }
    this.#count -= events;
    return events;
  }
}

/** Most often one. */
function* piecesOf(events: readonly QueuedEvent[]): Iterable<Piece> {
  let piece: QueuedEvent[] = [];
  let size = 0;
  for (const event of events) {
    const isFull = piece.length === EVENTS_A_REQUEST || size + event.text.length > CHARS_A_REQUEST;
    if (piece.length > 0 && isFull) {
      yield pieceOf(piece);
      [piece, size] = [[], 0];
    }
    piece.push(event);
    size += event.text.length + 1;
  }
  if (piece.length > 0) yield pieceOf(piece);
}

const pieceOf = (events: readonly QueuedEvent[]): Piece => ({
  id: events[0]!.id,
  count: events.length,
  text: events.map(({ text }) => text).join(","),
});
