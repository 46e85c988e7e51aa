// A hub's index: the newest activity report of each of its rooms and relays, and the totals of their counters. It is
// part of the hub's `all` room, and some seconds late (observe/activity-reports.ts).
//
//   · Bounded (`INDEX_LIMITS`): rows by number and age, rooms with metrics of their own by number. All other rooms
//     share the series `other`.
//   · Totals (hub-totals.ts) do not fall when rows are removed; they begin again after a day without a report. Each
//     increase counts once, although reports may be repeated.
//   · An object that crashes loses the counts since its last report.

import type { PartStorage } from "../../model/stored-values.ts";
import { logWarning } from "../../model/logger.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import { ZERO_COUNTERS, difference, sum } from "../observe/counters.ts";
import type { CounterSnapshot, Report } from "../rpc/activity-report.ts";
import type { HubMetrics, RoomsQuery, RoomsView } from "../rpc/hub-metrics.ts";
import { HubTotals, type CountedRow } from "./hub-totals.ts";
import { assignNames } from "./index-names.ts";
import { COLUMNS, INSERT, pageOf, storedIn, TABLE, type Row } from "./index-rows.ts";

type IndexStorage = Pick<PartStorage, "sql" | "kv" | "transactionSync">;

/** Limits of an index, each with its reason. */
export interface IndexLimits {
  /** Rows, one for each object; beyond them those with the oldest reports are dropped. */
  readonly rows: number;
  /** Rooms with metrics of their own: each is ten series in Prometheus. */
  readonly named: number;
  /** How long an object without a report is listed: it may have crashed. */
  readonly forgetMs: number;
}

export const INDEX_LIMITS: IndexLimits = { rows: 10_000, named: 500, forgetMs: 24 * 3_600_000 };

/** The share of its rows that a full index drops at once, so that not every new room searches for the oldest. */
const DROPPED_PART = 1 / 100;
/** Rows are removed at whole hours, because each alarm costs a row. */
const FORGET_STEP_MS = 3_600_000;
/** The series that rooms without metrics of their own share. */
export const OTHER = "other";

/** Storage key: until when objects that report are requested to follow this room again. */
const ASKS_UNTIL = "asksReporters";

export class HubIndex implements Duty {
  readonly #storage: IndexStorage;
  readonly #arm: (at: number) => void;
  readonly #limits: IndexLimits;
  readonly #totals: HubTotals;
  #rows = 0;
  #named = 0;
  #asksUntil: number | undefined;
  /** No row expires before this time: a cache, because the search for the oldest reads all rows. */
  #lookAt = 0;

  constructor(storage: IndexStorage, arm: (at: number) => void, limits = INDEX_LIMITS) {
    this.#storage = storage;
    this.#arm = arm;
    this.#limits = limits;
    storage.sql.exec(TABLE);
    this.#totals = new HubTotals(storage);
    this.#count();
  }

  #count(): void {
    const [row] = this.#sql("SELECT count(*) AS rows, count(total) AS named FROM seen");
    const { rows = 0, named = 0 } = (row ?? {}) as { rows?: number; named?: number };
    [this.#rows, this.#named] = [rows, named];
  }

  #sql(query: string, ...values: (string | number | null)[]) {
    return this.#storage.sql.exec(query, ...values).toArray();
  }

  /** All changes of `run`, in storage and in memory, or none if it throws. */
  #whole(run: () => void): void {
    const [rows, named, totals] = [this.#rows, this.#named, this.#totals.stored];
    try {
      this.#storage.transactionSync(run);
    } catch (error) {
      [this.#rows, this.#named] = [rows, named];
      this.#totals.restore(totals);
      throw error;
    }
  }

  /**
   * Counters are absolute within a wake, so a repeated report adds nothing, and neither does one after a throw: its
   * object repeats it.
   */
  report(name: string, report: Report, now: number): void {
    this.#whole(() => (report.ended ? this.#remove(name, now) : this.#enter(name, report, now)));
    if (!report.ended) this.#arm(this.#forgetAt(now));
  }

  #enter(name: string, report: Report, now: number): void {
    const row = this.#row(name);
    const { counted } = report;
    const { bytes = null, rows = null, state = null } = report.stored ?? {};
    const previous = row?.wake === report.wake ? JSON.parse(row.counted) : report.before;
    const increase = difference(counted, previous);
    const newTotal = this.#named < this.#limits.named ? JSON.stringify(ZERO_COUNTERS) : null;
    const total = row ? row.total : newTotal;
    if (!row) this.#countRow(name, total !== null, now);
    if (total === null) this.#totals.add(increase, now);
    else this.#totals.know(increase);
    const activity = increase.in + increase.out + report.sockets;
    this.#write(name, {
      ...{ ...report, at: now, counted: JSON.stringify({ waiting: report.waiting, ...counted }) },
      // Older activity counts half with each report.
      weight: row ? (row.weight + activity) / 2 : activity,
      total: total === null ? null : JSON.stringify(sum(JSON.parse(total), increase)),
      ...{ bytes, rows, state },
    });
  }

  #remove(name: string, now: number): void {
    const removed = this.#delete("name = ?", name, now);
    this.#rows -= removed.length;
    this.#named -= removed.filter(({ total }) => total !== null).length;
  }

  /** Deletes rows; their counts go into the totals. */
  #delete(condition: string, value: string | number, now: number): readonly CountedRow[] {
    const query = `DELETE FROM seen WHERE ${condition} RETURNING at, total`;
    const removed = this.#sql(query, value) as unknown as CountedRow[];
    this.#totals.take(removed, now);
    return removed;
  }

  /** Whether no object of the hub is listed except this room itself, and the totals have expired. */
  isIdle(now: number): boolean {
    const at = Math.max(this.#totals.at, this.#row("all")?.at ?? 0);
    if (at + this.#limits.forgetMs > now || this.asksReporters(now)) return false;
    return this.#sql("SELECT 1 FROM seen WHERE name <> 'all' LIMIT 1").length === 0;
  }

  /** Until then objects that report are requested to follow this room again (lost-followers.ts). */
  askReporters(until: number): void {
    this.#storage.kv.put(ASKS_UNTIL, (this.#asksUntil = until));
    this.#arm(until);
  }

  asksReporters(now: number): boolean {
    return (this.#asksUntil ??= this.#storage.kv.get<number>(ASKS_UNTIL) ?? 0) > now;
  }

  /** The storage was deleted. */
  forget(): void {
    [this.#asksUntil, this.#lookAt] = [0, 0];
    [this.#rows, this.#named] = [0, 0];
    this.#totals.forget();
  }

  #write(name: string, row: Row): void {
    this.#sql(INSERT, name, ...COLUMNS.map((column) => row[column]));
  }

  #row(name: string): Row | undefined {
    return this.#sql("SELECT * FROM seen WHERE name = ?", name)[0] as unknown as Row | undefined;
  }

  #countRow(name: string, isNamed: boolean, now: number): void {
    if (this.#rows >= this.#limits.rows) this.#dropOldest(name, now);
    this.#rows++;
    if (isNamed) this.#named++;
  }

  #dropOldest(name: string, now: number): void {
    const count = Math.ceil(this.#limits.rows * DROPPED_PART);
    this.#delete("name IN (SELECT name FROM seen ORDER BY at LIMIT ?)", count, now);
    logWarning("index_full", { room: name, dropped: count, most: this.#limits.rows });
    this.#count();
  }

  /** Rooms whose topic begins with the prefix, by name. Relays are not among them. */
  rooms(query: RoomsQuery): RoomsView {
    return pageOf(this.#storage.sql, query, "rooms");
  }

  relays(query: RoomsQuery): RoomsView {
    return pageOf(this.#storage.sql, query, "relays");
  }

  /** Metrics of the most active rooms, each by name, and of all others together. */
  metrics(now: number): HubMetrics {
    if (this.#rows > this.#named) this.#whole(() => this.#assignNames(now));
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
    const counted = this.#totals.with(rooms.map((room) => room.counted));
    const totals = { sockets: this.#socketsOf("true"), counted };
    return { rooms: [...rooms, other], totals, stored: storedIn(this.#storage.sql, now) };
  }

  #socketsOf(condition: string): number {
    const query = `SELECT coalesce(sum(sockets), 0) AS sockets FROM seen WHERE ${condition}`;
    return (this.#sql(query)[0]?.["sockets"] ?? 0) as number;
  }

  #assignNames(now: number): void {
    const naming = { named: this.#named, most: this.#limits.named, now };
    this.#totals.take(assignNames(this.#storage.sql, naming), now);
    this.#count();
  }

  /** When a row whose report came at `at` is removed. */
  #forgetAt(at: number): number {
    return Math.ceil((at + this.#limits.forgetMs) / FORGET_STEP_MS) * FORGET_STEP_MS;
  }

  /** When the oldest row expires; without rows, when the totals expire; undefined after that. */
  due(now: number): number | undefined {
    if (this.#lookAt > now) return this.#lookAt;
    const oldest = this.#sql("SELECT min(at) AS at FROM seen")[0]?.["at"];
    if (typeof oldest === "number") return (this.#lookAt = this.#forgetAt(oldest));
    const at = this.#forgetAt(this.#totals.at);
    return at > now ? at : undefined;
  }

  run(now: number): void {
    if (this.#lookAt > now) return;
    this.#whole(() => {
      if (this.#delete("at <= ?", now - this.#limits.forgetMs, now).length > 0) this.#count();
    });
  }
}
