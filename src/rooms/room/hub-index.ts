// What a hub's rooms and relays have last said of themselves: who there is, and how much was said. Kept in the hub's
// `all` room, a little late, and bounded: in a row each, and in totals that outlive the rows.

import { logWarning } from "../../model/logger.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import { ZERO_COUNTERS, difference, sum } from "../observe/counters.ts";
import type { CounterSnapshot, Occupancy, Report } from "../rpc/activity-report.ts";
import type { HubMetrics, RoomListing, RoomsQuery, RoomsView } from "../rpc/hub-metrics.ts";

export interface IndexStorage {
  readonly sql: SqlStorage;
  readonly kv: SyncKvStorage;
}

/** Limits of an index, each with its reason. */
export interface IndexLimits {
  /** Rows; beyond them the rooms that were not heard of for longest are dropped. */
  readonly rows: number;
  /** Rooms with figures of their own: each is ten series in Prometheus. */
  readonly named: number;
  /** How long a room that says nothing is listed: it may have crashed. */
  readonly forgetMs: number;
}

export const INDEX_LIMITS: IndexLimits = { rows: 10_000, named: 500, forgetMs: 24 * 3_600_000 };

const PAGE = 100;
const PAGE_AT_MOST = 1_000;
/** The part that goes where the index is full, so that not each new room looks for the oldest. */
const DROP = 1 / 100;
/** Rooms are forgotten at whole hours: an alarm costs a row. */
const FORGET_STEP_MS = 3_600_000;
/** Who was not heard of for so long says nothing now. */
const QUIET_MS = 10 * 60_000;
export const OTHER = "other";

/** `total` is null where what the room counts goes to `other`. `weight`: how much is said from one report to the next. */
const TABLE = `CREATE TABLE IF NOT EXISTS seen (name TEXT PRIMARY KEY, at INTEGER, sockets INTEGER,
  connections INTEGER, users INTEGER, weight REAL, wake TEXT, counted TEXT, total TEXT) WITHOUT ROWID`;

const WEIGHED = "SELECT name, iif(at < ?, 0, weight) AS weight FROM seen WHERE";

interface Row extends Occupancy {
  readonly at: number;
  readonly weight: number;
  readonly wake: string;
  readonly counted: string;
  readonly total: string | null;
}

/** Both only grow, whatever becomes of rows. */
interface Totals {
  readonly all: CounterSnapshot;
  readonly other: CounterSnapshot;
}

export class HubIndex implements Duty {
  readonly #storage: IndexStorage;
  readonly #arm: (at: number) => void;
  readonly #limits: IndexLimits;
  #totals: Totals;
  #rows: number;
  #named: number;

  constructor(storage: IndexStorage, arm: (at: number) => void, limits = INDEX_LIMITS) {
    this.#storage = storage;
    this.#arm = arm;
    this.#limits = limits;
    storage.sql.exec(TABLE);
    this.#totals = storage.kv.get<Totals>("totals") ?? { all: ZERO_COUNTERS, other: ZERO_COUNTERS };
    [this.#rows, this.#named] = [0, 0];
    this.#count();
  }

  #count(): void {
    const { rows, named } = this.#sql(
      "SELECT count(*) AS rows, count(total) AS named FROM seen",
    )[0]!;
    [this.#rows, this.#named] = [rows as number, named as number];
  }

  #sql(query: string, ...values: (string | number | null)[]) {
    return this.#storage.sql.exec(query, ...values).toArray();
  }

  /** Figures are absolute within a wake: a report that comes twice counts once. */
  report(name: string, report: Report, now: number): void {
    const before = this.#row(name);
    const { counted } = report;
    const known = before?.wake === report.wake ? JSON.parse(before.counted) : report.before;
    const news = difference(counted, known);
    const begun = this.#named < this.#limits.named ? JSON.stringify(ZERO_COUNTERS) : null;
    const total = before ? before.total : begun;
    if (!before) this.#make(name, total !== null);
    this.#add(news, total !== null);
    const said = news.in + news.out + report.sockets;
    const row = {
      ...{ ...report, at: now, counted: JSON.stringify(counted) },
      // What was said long ago counts half each time.
      weight: before ? (before.weight + said) / 2 : said,
      total: total === null ? null : JSON.stringify(sum(JSON.parse(total), news)),
    };
    this.#write(name, row);
    this.#arm(this.#forgetAt(now));
  }

  #write(name: string, row: Row): void {
    const { at, sockets, connections, users, weight, wake, counted, total } = row;
    const values = [name, at, sockets, connections, users, weight, wake, counted, total];
    this.#sql("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", ...values);
  }

  #row(name: string): Row | undefined {
    return this.#sql("SELECT * FROM seen WHERE name = ?", name)[0] as unknown as Row | undefined;
  }

  #add(news: CounterSnapshot, isNamed: boolean): void {
    const { all, other } = this.#totals;
    this.#totals = { all: sum(all, news), other: isNamed ? other : sum(other, news) };
    this.#storage.kv.put("totals", this.#totals);
  }

  #make(name: string, isNamed: boolean): void {
    if (this.#rows >= this.#limits.rows) this.#dropOldest(name);
    this.#rows++;
    if (isNamed) this.#named++;
  }

  #dropOldest(name: string): void {
    const count = Math.ceil(this.#limits.rows * DROP);
    this.#sql("DELETE FROM seen WHERE name IN (SELECT name FROM seen ORDER BY at LIMIT ?)", count);
    logWarning("index_full", { room: name, dropped: count, most: this.#limits.rows });
    this.#count();
  }

  /** Rooms whose topic begins so, by name; relays are no rooms. */
  rooms(query: RoomsQuery): RoomsView {
    return this.#page(query, "name NOT LIKE 'relay:%'");
  }

  relays(query: RoomsQuery): RoomsView {
    return this.#page(query, "name LIKE 'relay:%'");
  }

  #page({ prefix = "", after = "", limit = PAGE }: RoomsQuery, which: string): RoomsView {
    const count = Math.max(1, Math.min(Math.floor(limit) || 1, PAGE_AT_MOST));
    const rows = this.#sql(
      `SELECT name AS room, connections, users, at FROM seen
       WHERE name > ? AND name >= ? AND substr(name, 1, length(?)) = ? AND ${which}
       ORDER BY name LIMIT ?`,
      ...[after, prefix, prefix, prefix, count + 1],
    ) as unknown as RoomListing[];
    return { rooms: rows.slice(0, count), more: rows.length > count };
  }

  /** The rooms where most happens by name, the rest as one. */
  metrics(now: number): HubMetrics {
    if (this.#rows > this.#named) this.#choose(now - QUIET_MS);
    const named = this.#sql(
      "SELECT name, sockets, total FROM seen WHERE total IS NOT NULL ORDER BY name",
    );
    const rooms = named.map(({ name, sockets, total }) => ({
      ...{ room: name as string, sockets: sockets as number },
      counted: JSON.parse(total as string) as CounterSnapshot,
    }));
    const other = {
      room: OTHER,
      sockets: this.#socketsOf("total IS NULL"),
      counted: this.#totals.other,
    };
    const totals = { sockets: this.#socketsOf("true"), counted: this.#totals.all };
    return { rooms: [...rooms, other], totals };
  }

  #socketsOf(which: string): number {
    const query = `SELECT coalesce(sum(sockets), 0) AS sockets FROM seen WHERE ${which}`;
    return this.#sql(query)[0]!["sockets"] as number;
  }

  /**
   * Who is named stays so, unless another says more than twice as much: a series that comes and goes says little. Who
   * gets a name begins at zero, and what it had counted remains in `other`: so every series only grows.
   */
  #choose(quietSince: number): void {
    const free = this.#limits.named - this.#named;
    const weakest = this.#sql(`${WEIGHED} total IS NOT NULL ORDER BY weight`, quietSince);
    const loudest = this.#sql(`${WEIGHED} total IS NULL ORDER BY weight DESC`, quietSince);
    for (const [index, { name, weight }] of loudest.slice(0, this.#limits.named).entries()) {
      const weak = weakest[index - free];
      if (index >= free && !(weak && Number(weight) > 2 * Number(weak["weight"]))) break;
      if (weak) this.#setTotal(weak["name"] as string, null);
      this.#setTotal(name as string, JSON.stringify(ZERO_COUNTERS));
    }
    this.#count();
  }

  #setTotal(name: string, total: string | null): void {
    this.#sql("UPDATE seen SET total = ? WHERE name = ?", total, name);
  }

  #forgetAt(at: number): number {
    return Math.ceil((at + this.#limits.forgetMs) / FORGET_STEP_MS) * FORGET_STEP_MS;
  }

  due(): number | undefined {
    const oldest = this.#sql("SELECT min(at) AS at FROM seen")[0]!["at"];
    return oldest === null ? undefined : this.#forgetAt(oldest as number);
  }

  run(now: number): void {
    const { rowsWritten } = this.#storage.sql.exec(
      "DELETE FROM seen WHERE at <= ?",
      now - this.#limits.forgetMs,
    );
    if (rowsWritten > 0) this.#count();
  }
}
