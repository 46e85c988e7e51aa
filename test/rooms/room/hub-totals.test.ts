// The totals of a hub's counters: never lower, in one row of a report with metrics of its own.

import { afterEach, expect, it, vi } from "vitest";
import { sum, ZERO_COUNTERS } from "../../../src/rooms/observe/counters.ts";
import type { CounterSnapshot } from "../../../src/rooms/rpc/activity-report.ts";
import { HubIndex, INDEX_LIMITS } from "../../../src/rooms/room/hub-index.ts";
import { chanceOf } from "../../support/seed.ts";
import { withStorage } from "../storage.ts";

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const SMALL = { ...INDEX_LIMITS, rows: 20, named: 4 };

afterEach(() => void vi.restoreAllMocks());

const counted = (count: number) => ({ ...ZERO_COUNTERS, in: count, refusals: { busy: count } });

const report = (count: number, before = 0) => ({
  ...{ sockets: 1, connections: 1, users: 1, wake: "w1" },
  ...{ counted: counted(count), before: counted(before) },
});

const totalOf = (index: HubIndex) => index.metrics(NOW).totals.counted;

it("a report with metrics of its own writes its row alone unless a code is new, any other also the totals", () =>
  withStorage((storage) => {
    const puts: string[] = [];
    const kv = { get: () => undefined, put: (key: string) => void puts.push(key) };
    const transactionSync = (run: () => void) => run();
    const fake = { sql: storage.sql, kv, transactionSync };
    const index = new HubIndex(fake as never, () => {}, SMALL);
    for (const name of ["a", "b", "c", "d"]) index.report(name, report(1), NOW);
    index.report("a", report(3), NOW);
    expect(puts.splice(0)).toEqual(["totals"]);
    index.report("e", report(1), NOW);
    expect([puts, totalOf(index).in]).toEqual([["totals"], 7]);
    for (const name of ["f", "g", "h"]) index.report(name, report(50), NOW);
    puts.splice(0);
    // Three rooms with metrics of their own lose them to more active ones.
    expect([totalOf(index).in, puts]).toEqual([157, ["totals"]]);
  }));

/** A storage whose accesses fail that contain the text. */
function failing(storage: DurableObjectStorage) {
  const failure = { at: "" };
  const failAt = (text: string): void => {
    if (failure.at !== "" && text.includes(failure.at)) throw new Error("The disk is full.");
  };
  return {
    failure,
    sql: {
      exec(query: string, ...values: SqlStorageValue[]) {
        failAt(query);
        return storage.sql.exec(query, ...values);
      },
    },
    kv: {
      get: (key: string) => storage.kv.get(key),
      put(key: string, value: unknown) {
        failAt(key);
        storage.kv.put(key, value);
      },
    },
    transactionSync: (run: () => void) => storage.transactionSync(run),
  };
}

it.each<[string, string, (index: HubIndex) => void]>([
  ["the row of a report", "INSERT", (index) => index.report("d", report(4), NOW)],
  ["the row of a room without metrics", "INSERT", (index) => index.report("c", report(10), NOW)],
  ["the totals of a report", "totals", (index) => index.report("c", report(10), NOW)],
  [
    "the totals at an end",
    "totals",
    (index) => index.report("a", { ...report(1), ended: true }, NOW),
  ],
  ["the totals at expiry", "totals", (index) => index.run(NOW + 25 * HOUR)],
  ["new names", "UPDATE", (index) => void index.metrics(NOW)],
])("they and the names are as before after a throw that kept %s out", (_, at, change) =>
  withStorage((storage) => {
    const { failure, ...parts } = failing(storage);
    const limits = { ...SMALL, named: 2 };
    const open = () => new HubIndex(parts as never, () => {}, limits);
    const index = open();
    for (const name of ["a", "b"]) index.report(name, report(1), NOW);
    index.report("c", report(9), NOW);
    failure.at = at;
    for (let times = 0; times < 3; times++)
      expect(() => change(index)).toThrow("The disk is full.");
    failure.at = "";
    expect(totalOf(index)).toEqual(counted(11));
    index.report("d", report(1), NOW);
    for (const one of [index, open()])
      expect([totalOf(one), one.metrics(NOW).rooms.length]).toEqual([counted(12), 3]);
  }),
);

it("they stay the sum of all counts over ends, expiry, full indexes and wakes, and no series falls", () =>
  withStorage((storage) => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const { below } = chanceOf(7);
    const again = () => new HubIndex(storage, () => {}, SMALL);
    let [index, now, all, shown] = [again(), NOW, 0, {} as Record<string, number>];
    const counts = new Map<string, CounterSnapshot>();
    for (let step = 0; step < 1_500; step++) {
      const name = `group:${below(30)}`;
      const before = counts.get(name) ?? ZERO_COUNTERS;
      const about = { ...report(0), before };
      const kind = below(20);
      if (kind === 0) index = again();
      else if (kind === 1) index.report(name, { ...about, counted: before, ended: true }, now);
      else if (kind === 2) index.run((now += below(26) * HOUR));
      else if (kind === 3) index.metrics(now);
      else {
        const more = below(5);
        const refusals = { [`code_${below(step)}`]: more };
        const after = sum(before, { ...ZERO_COUNTERS, in: more, refusals });
        index.report(name, { ...about, counted: after }, now);
        counts.set(name, after);
        all += more;
      }
      const { in: messages, refusals } = totalOf(index);
      const refused = Object.values(refusals).reduce((total, count) => total + count, 0);
      expect([messages, refused]).toEqual([all, all]);
      expect(Object.entries(shown).filter(([code, count]) => !(refusals[code]! >= count))).toEqual(
        [],
      );
      shown = refusals;
    }
    expect(all).toBeGreaterThan(1_000);
  }));

it("the versions that came first keep their series, whatever others rooms report, end and begin again", () =>
  withStorage((storage) => {
    const versionsOf = (from: number, count: number) =>
      Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`${from + n}.0.0`, count]));
    const withVersions = (from: number, count: number) => {
      const { counted: figures, ...about } = report(0);
      return { ...about, counted: { ...figures, clients: versionsOf(from, count) } };
    };
    const open = () => new HubIndex(storage, () => {}, SMALL);
    open().report("b", withVersions(100, 1), NOW);
    open().report("a", withVersions(200, 1), NOW);
    expect(totalOf(open()).clients).toEqual({ ...versionsOf(100, 1), other: 20 });
    open().report("b", { ...withVersions(100, 1), ended: true }, NOW);
    open().report("a", withVersions(200, 2), NOW);
    open().report("b", { ...withVersions(100, 3), wake: "w2" }, NOW);
    expect(totalOf(open()).clients).toEqual({ ...versionsOf(100, 4), other: 40 });
  }));

it("storage of an earlier version, whose totals have the counts of all rows, stays correct", () =>
  withStorage((storage) => {
    const before = new HubIndex(storage, () => {}, SMALL);
    for (const name of ["a", "b", "c", "d", "e"]) before.report(name, report(10), NOW);
    const { other } = storage.kv.get<{ other: object }>("totals")!;
    storage.kv.put("totals", { all: counted(100), other, at: NOW });
    const open = () => new HubIndex(storage, () => {}, SMALL);
    expect(totalOf(open())).toEqual(counted(100));
    open().report("a", report(12), NOW);
    open().report("e", report(13), NOW);
    expect(totalOf(open())).toEqual(counted(105));
  }));

it("they expire a day after the last report of any object", () =>
  withStorage((storage) => {
    const index = new HubIndex(storage, () => {}, SMALL);
    index.report("a", report(1), NOW);
    index.report("all", report(1), NOW + HOUR);
    index.report("a", { ...report(1, 1), ended: true }, NOW + 2 * HOUR);
    expect(index.isIdle(NOW + 24 * HOUR)).toBe(false);
    expect(index.isIdle(NOW + 25 * HOUR)).toBe(true);
  }));
