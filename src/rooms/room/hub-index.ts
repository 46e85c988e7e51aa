// A hub's index: the newest activity report of each of its rooms and relays, and the totals of their counters. It is
// part of the hub's `all` room, and some seconds late (observe/activity-reports.ts).
//
//   · Bounded (`INDEX_LIMITS`): rows by number and age, rooms with metrics of their own by number. All other rooms
//     share the series `other`.
//   · Totals do not fall when rows are removed; they begin again after a day without a report. Each increase counts
//     once, although reports may be repeated.
//   · An object that crashes loses the counts since its last report.

import type { PartStorage } from "../../model/stored-values.ts";
import { logWarning } from "../../model/logger.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import { ZERO_COUNTERS, difference, sum } from "../observe/counters.ts";
import type { CounterSnapshot, Report } from "../rpc/activity-report.ts";
import type { HubMetrics, RoomsQuery, RoomsView } from "../rpc/hub-metrics.ts";
import { COLUMNS, INSERT, pageOf, storedIn, TABLE, type Row } from "./index-rows.ts";

type IndexStorage = Pick<PartStorage, "sql" | "kv">;

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
/**
 * An object without a report for so long is inactive. Objects that sleep between messages report more often.
 */
const STALE_MS = 90 * 60_000;
/** The series that rooms without metrics of their own share. */
export const OTHER = "other";

const SELECT_WEIGHTS = "SELECT name, iif(at < ?, 0, weight) AS weight FROM seen WHERE";

/** Counters of all objects, and of those without metrics of their own. Both only grow. */
interface Totals {
  readonly all: CounterSnapshot;
  readonly other: CounterSnapshot;
  /** When they grew last; absent in older storages. */
  readonly at?: number;
}

/** Storage key: until when objects that report are requested to follow this room again. */
const ASKS_UNTIL = "asksReporters";

const NO_TOTALS: Totals = { all: ZERO_COUNTERS, other: ZERO_COUNTERS };

export class HubIndex implements Duty {
  readonly #storage: IndexStorage;
  readonly #arm: (at: number) => void;
  readonly #limits: IndexLimits;
  #totals: Totals;
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
    this.#totals = storage.kv.get<Totals>("totals") ?? NO_TOTALS;
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

  /** Counters are absolute within a wake, so a repeated report adds nothing. */
  report(name: string, report: Report, now: number): void {
    if (report.ended) return this.#remove(name);
    const row = this.#row(name);
    const { counted } = report;
    const { bytes = null, rows = null, state = null } = report.stored ?? {};
    const previous = row?.wake === report.wake ? JSON.parse(row.counted) : report.before;
    const increase = difference(counted, previous);
    const newTotal = this.#named < this.#limits.named ? JSON.stringify(ZERO_COUNTERS) : null;
    const total = row ? row.total : newTotal;
    if (!row) this.#countRow(name, total !== null);
    this.#addToTotals(increase, { isNamed: total !== null, at: now });
    const activity = increase.in + increase.out + report.sockets;
    this.#write(name, {
      ...{ ...report, at: now, counted: JSON.stringify({ waiting: report.waiting, ...counted }) },
      // Older activity counts half with each report.
      weight: row ? (row.weight + activity) / 2 : activity,
      total: total === null ? null : JSON.stringify(sum(JSON.parse(total), increase)),
      ...{ bytes, rows, state },
    });
    this.#arm(this.#forgetAt(now));
  }

  #remove(name: string): void {
    const [row] = this.#sql("DELETE FROM seen WHERE name = ? RETURNING total", name);
    if (!row) return;
    this.#rows--;
    if (row["total"] !== null) this.#named--;
  }

  /** Whether no object of the hub is listed except this room itself, and the totals have expired. */
  isIdle(now: number): boolean {
    const { at = 0 } = this.#totals;
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
    [this.#totals, this.#rows, this.#named] = [NO_TOTALS, 0, 0];
  }

  #write(name: string, row: Row): void {
    this.#sql(INSERT, name, ...COLUMNS.map((column) => row[column]));
  }

  #row(name: string): Row | undefined {
    return this.#sql("SELECT * FROM seen WHERE name = ?", name)[0] as unknown as Row | undefined;
  }

  #addToTotals(
    increase: CounterSnapshot,
    { isNamed, at }: { readonly isNamed: boolean; readonly at: number },
  ): void {
    const { all, other } = this.#totals;
    this.#totals = { all: sum(all, increase), other: isNamed ? other : sum(other, increase), at };
    this.#storage.kv.put("totals", this.#totals);
  }

  #countRow(name: string, isNamed: boolean): void {
    if (this.#rows >= this.#limits.rows) this.#dropOldest(name);
    this.#rows++;
    if (isNamed) this.#named++;
  }

  #dropOldest(name: string): void {
    const count = Math.ceil(this.#limits.rows * DROPPED_PART);
    this.#sql("DELETE FROM seen WHERE name IN (SELECT name FROM seen ORDER BY at LIMIT ?)", count);
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
    if (this.#rows > this.#named) this.#assignNames(now - STALE_MS);
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
    return { rooms: [...rooms, other], totals, stored: storedIn(this.#storage.sql, now) };
  }

  #socketsOf(condition: string): number {
    const query = `SELECT coalesce(sum(sockets), 0) AS sockets FROM seen WHERE ${condition}`;
    return (this.#sql(query)[0]?.["sockets"] ?? 0) as number;
  }

  /**
   * Chooses the rooms with metrics of their own. A room keeps them unless another has more than twice its weight,
   * because a series that comes and goes shows little. A new series begins at zero, and earlier counts of the room stay
   * in `other`, so that no series falls.
   */
  #assignNames(staleBefore: number): void {
    const free = this.#limits.named - this.#named;
    const lightest = this.#sql(`${SELECT_WEIGHTS} total IS NOT NULL ORDER BY weight`, staleBefore);
    const heaviest = this.#sql(`${SELECT_WEIGHTS} total IS NULL ORDER BY weight DESC`, staleBefore);
    for (const [index, { name, weight }] of heaviest.slice(0, this.#limits.named).entries()) {
      const light = lightest[index - free];
      if (index >= free && !(light && Number(weight) > 2 * Number(light["weight"]))) break;
      if (light) this.#setTotal(light["name"] as string, null);
      this.#setTotal(name as string, JSON.stringify(ZERO_COUNTERS));
    }
    this.#count();
  }

  #setTotal(name: string, total: string | null): void {
    this.#sql("UPDATE seen SET total = ? WHERE name = ?", total, name);
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
    const at = this.#forgetAt(this.#totals.at ?? 0);
    return at > now ? at : undefined;
  }

  run(now: number): void {
    if (this.#lookAt > now) return;
    const { rowsWritten } = this.#storage.sql.exec(
      "DELETE FROM seen WHERE at <= ?",
      now - this.#limits.forgetMs,
    );
    if (rowsWritten > 0) this.#count();
  }
}
