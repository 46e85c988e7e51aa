// The totals of a hub's counters. Counts of objects with metrics of their own are in their rows of the index, so that
// their reports write nothing else. The key `totals` has all others: of rows without metrics, and of removed rows. It
// also has the names of all codes and versions, in the order in which they came, since only the first have series.

import type { PartStorage } from "../../model/stored-values.ts";
import { difference, sum, ZERO_COUNTERS } from "../observe/counters.ts";
import type { CounterSnapshot } from "../rpc/activity-report.ts";

export interface StoredTotals {
  /** Counts that no row has; those of rows as well in storages without `isApart`. */
  readonly all: CounterSnapshot;
  /** Counts of objects without metrics of their own. Only grows, as `all` does. */
  readonly other: CounterSnapshot;
  /** When they grew last, milliseconds since 1970; absent in older storages. */
  readonly at?: number;
  readonly isApart?: true;
}

/** The columns of a row of the index that is removed, or whose object loses its metrics. */
export interface CountedRow {
  readonly at: number;
  /** Counters as JSON; null without metrics of its own. */
  readonly total: string | null;
}

const KEY = "totals";
const NONE: StoredTotals = { all: ZERO_COUNTERS, other: ZERO_COUNTERS, isApart: true };

export class HubTotals {
  readonly #kv: PartStorage["kv"];
  #stored: StoredTotals;

  constructor({ kv, sql }: Pick<PartStorage, "kv" | "sql">) {
    this.#kv = kv;
    this.#stored = kv.get<StoredTotals>(KEY) ?? NONE;
    if (this.#stored.isApart) return;
    const rows = sql.exec("SELECT total FROM seen WHERE total IS NOT NULL").toArray();
    const { all, ...rest } = this.#stored;
    const ofRows = rows.map(({ total }) => countersOf(total as string)).reduce(sum, ZERO_COUNTERS);
    this.#put({ ...rest, all: difference(all, ofRows), isApart: true });
  }

  get stored(): StoredTotals {
    return this.#stored;
  }

  /** The changes since then are not in the storage. */
  restore(stored: StoredTotals): void {
    this.#stored = stored;
  }

  /** When the totals grew last, by other counts than those of rows with metrics. */
  get at(): number {
    return this.#stored.at ?? 0;
  }

  get other(): CounterSnapshot {
    return this.#stored.other;
  }

  /** Of all objects, given those with metrics of their own. */
  with(named: readonly CounterSnapshot[]): CounterSnapshot {
    return named.reduce(sum, this.#stored.all);
  }

  /** Counts of a row with metrics of its own bring these codes and versions. Writes only if there are new ones. */
  know(increase: CounterSnapshot): void {
    const { all } = this.#stored;
    if (!LABELLED.some((figure) => hasOthers(increase[figure], all[figure]))) return;
    const known = sum(all, difference(increase, increase));
    // Beyond their bound they are counted together.
    if (labelsIn(known) > labelsIn(all)) this.#put({ ...this.#stored, all: known });
  }

  /** Adds counts of an object without metrics of its own. */
  add(increase: CounterSnapshot, at: number): void {
    const { all, other } = this.#stored;
    this.#put({ all: sum(all, increase), other: sum(other, increase), at, isApart: true });
  }

  /** Takes over the counts of rows, so that the totals do not fall. */
  take(rows: readonly CountedRow[], now: number): void {
    const totals = rows.flatMap(({ total }) => (total === null ? [] : [countersOf(total)]));
    if (totals.length === 0) return;
    // A clock that was set back must not keep the totals for longer.
    const at = Math.min(now, Math.max(this.at, ...rows.map((row) => row.at)));
    this.#put({ ...this.#stored, all: totals.reduce(sum, this.#stored.all), at });
  }

  /** The storage was deleted. */
  forget(): void {
    this.restore(NONE);
  }

  #put(stored: StoredTotals): void {
    this.#stored = stored;
    this.#kv.put(KEY, stored);
  }
}

const LABELLED = ["refusals", "clients", "runs"] as const;

const hasOthers = (names: object = {}, known: object = {}): boolean =>
  Object.keys(names).some((name) => !Object.hasOwn(known, name));

const labelsIn = (counted: CounterSnapshot): number =>
  LABELLED.reduce((count, figure) => count + Object.keys(counted[figure] ?? {}).length, 0);

const countersOf = (total: string): CounterSnapshot => JSON.parse(total) as CounterSnapshot;
