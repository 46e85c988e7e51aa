// A hub's index: pages, bounds, forgetting, and totals that only grow.

import { afterEach, expect, it, vi } from "vitest";
import { ZERO_COUNTERS } from "../../../src/rooms/observe/counters.ts";
import type { CounterSnapshot } from "../../../src/rooms/rpc/activity-report.ts";
import {
  HubIndex,
  INDEX_LIMITS,
  OTHER,
  type IndexLimits,
} from "../../../src/rooms/room/hub-index.ts";
import type { HubMetrics } from "../../../src/rooms/rpc/hub-metrics.ts";
import { withStorage } from "../storage.ts";

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

afterEach(() => void vi.restoreAllMocks());

interface Fixture {
  readonly index: HubIndex;
  readonly armed: number[];
  /** What a wake finds. */
  again(): HubIndex;
}

const withIndex = (limits: Partial<IndexLimits>, run: (fixture: Fixture) => void) =>
  withStorage((storage) => {
    const armed: number[] = [];
    const again = () =>
      new HubIndex(storage, (at) => void armed.push(at), { ...INDEX_LIMITS, ...limits });
    run({ index: again(), armed, again });
  });

const report = (counted: Partial<CounterSnapshot> = {}, wake = "w1", sockets = 1) => ({
  ...{ sockets, connections: sockets, users: sockets, wake },
  ...{ counted: { ...ZERO_COUNTERS, ...counted }, before: ZERO_COUNTERS },
});

const names = (index: HubIndex, query = {}) => index.rooms(query).rooms.map(({ room }) => room);
const figures = ({ rooms }: HubMetrics) =>
  Object.fromEntries(rooms.map(({ room, counted }) => [room, counted.in]));

it("lists what was reported last, by name, also after a wake", () =>
  withIndex({}, ({ index, again }) => {
    index.report("group:b", report(), NOW);
    index.report("group:a", report(), NOW);
    index.report("group:a", report({}, "w1", 3), NOW + 5);
    const expected = {
      rooms: [
        { room: "group:a", connections: 3, users: 3, at: NOW + 5 },
        { room: "group:b", connections: 1, users: 1, at: NOW },
      ],
      more: false,
    };
    expect(index.rooms({})).toEqual(expected);
    expect(again().rooms({})).toEqual(expected);
  }));

it("keeps relays apart from rooms", () =>
  withIndex({}, ({ index }) => {
    for (const name of ["relay:any.0.0", "group:relay:x", "user:relay"])
      index.report(name, report(), NOW);
    expect(names(index)).toEqual(["group:relay:x", "user:relay"]);
    expect(index.relays({}).rooms.map(({ room }) => room)).toEqual(["relay:any.0.0"]);
  }));

it("gives pages of a thousand rooms, each room once, and only those of a prefix", () =>
  withIndex({}, ({ index }) => {
    const all = Array.from({ length: 1_000 }, (_, n) => `group:${n % 2 ? "a" : "b"}-${n}`);
    for (const name of all) index.report(name, report(), NOW);
    const seen: string[] = [];
    for (let after = "", more = true; more; after = seen.at(-1)!) {
      const page = index.rooms({ prefix: "group:a-", after, limit: 64 });
      seen.push(...page.rooms.map(({ room }) => room));
      more = page.more;
    }
    expect(seen).toEqual(all.filter((name) => name.startsWith("group:a-")).toSorted());
  }));

const HOSTILE = [
  `group:"quoted" 'too'`,
  "group:__proto__",
  "group:constructor",
  "group:%_*?[a]",
  "group:'; DROP TABLE seen; --",
  "group:\u{1f600}é",
];

it("takes names as they are, and a prefix is no pattern", () =>
  withIndex({}, ({ index }) => {
    for (const name of HOSTILE) index.report(name, report(), NOW);
    expect(new Set(names(index))).toEqual(new Set(HOSTILE));
    for (const name of HOSTILE) expect(names(index, { prefix: name })).toEqual([name]);
    for (const prefix of ["%", "group_", "g%", "*", "group:a\0", "\ud800", "GROUP:"])
      expect(names(index, { prefix })).toEqual([]);
  }));

it.each([
  [0, 1],
  [-5, 1],
  [Number.NaN, 1],
  [1.5, 1],
  [2, 2],
  [1e9, 3],
])("a limit of %d gives %d of three", (limit, count) =>
  withIndex({}, ({ index }) => {
    for (const name of ["group:1", "group:2", "group:3"]) index.report(name, report(), NOW);
    expect(names(index, { limit })).toHaveLength(count);
  }),
);

it("is bounded: those not heard of for longest go, in a batch, with a line in the log", () =>
  withIndex({ rows: 200 }, ({ index }) => {
    const lines: string[] = [];
    vi.spyOn(console, "warn").mockImplementation((line: string) => void lines.push(line));
    for (let n = 0; n < 200; n++) index.report(`group:${1_000 + n}`, report({ in: 1 }), NOW + n);
    index.report("group:1000", report({ in: 1 }), NOW + 500); // Heard of again.
    expect(lines).toEqual([]);
    index.report("group:new", report({ in: 1 }), NOW + 501);
    const left = names(index, { limit: 1_000 });
    expect(left).toHaveLength(199);
    expect(left).toContain("group:1000");
    for (const gone of ["group:1001", "group:1002"]) expect(left).not.toContain(gone);
    expect(JSON.parse(lines[0]!)).toMatchObject({ event: "index_full", dropped: 2, most: 200 });
    for (let n = 0; n < 1_000; n++) index.report(`order:${n}`, report({ in: 1 }), NOW + 600 + n);
    expect(names(index, { limit: 1_000 }).length).toBeLessThanOrEqual(200);
    expect(index.metrics(NOW).totals.counted.in).toBe(1_201);
  }));

it("forgets by alarm what said nothing for a day, and then no alarm is due", () =>
  withIndex({}, ({ index, armed }) => {
    index.report("group:old", report({ in: 4 }), NOW);
    index.report("group:young", report(), NOW + 5 * HOUR);
    const due = index.due(NOW)!;
    expect(armed[0]).toBe(due);
    expect(due).toBeGreaterThanOrEqual(NOW + 24 * HOUR);
    expect(due).toBeLessThan(NOW + 25 * HOUR);
    index.run(due);
    expect(names(index)).toEqual(["group:young"]);
    index.run(index.due(due)!);
    expect(names(index)).toEqual([]);
    expect(index.due(NOW + 30 * HOUR)).toBeUndefined();
    expect(index.metrics(NOW).totals).toMatchObject({ sockets: 0, counted: { in: 4 } });
  }));

it("a report that comes twice counts once; a wake begins anew, and is added", () =>
  withIndex({}, ({ index }) => {
    for (const counted of [{ in: 5 }, { in: 5 }, { in: 7 }])
      index.report("group:a", report(counted), NOW);
    index.report("group:a", report({ in: 2 }, "w2"), NOW);
    index.report("group:a", report({ in: 2, refusals: { constructor: 1 } }, "w2"), NOW);
    expect(figures(index.metrics(NOW))).toEqual({ "group:a": 9, [OTHER]: 0 });
    expect(index.metrics(NOW).totals.counted).toEqual({
      ...ZERO_COUNTERS,
      in: 9,
      refusals: { constructor: 1 },
    });
  }));

it("names as many rooms as it may, and the rest are other; together they are the total", () =>
  withIndex({ named: 2 }, ({ index }) => {
    for (const [n, name] of ["group:a", "group:b", "group:c", "group:d"].entries())
      index.report(name, report({ in: 4 - n }), NOW);
    const { rooms, totals } = index.metrics(NOW);
    expect(rooms).toHaveLength(3);
    expect(rooms.reduce((all, { sockets }) => all + sockets, 0)).toBe(4);
    expect(rooms.reduce((all, { counted }) => all + counted.in, 0)).toBe(10);
    expect(totals).toMatchObject({ sockets: 4, counted: { in: 10 } });
  }));

it("who says more than twice as much takes a name, begins at nothing, and no figure falls", () =>
  withIndex({ named: 1 }, ({ index }) => {
    index.report("group:first", report({ in: 10 }), NOW);
    index.report("group:equal", report({ in: 15 }), NOW);
    expect(figures(index.metrics(NOW))).toEqual({ "group:first": 10, [OTHER]: 15 });
    index.report("group:loud", report({ in: 100 }), NOW);
    expect(figures(index.metrics(NOW))).toEqual({ "group:loud": 0, [OTHER]: 115 });
    index.report("group:loud", report({ in: 105 }), NOW);
    index.report("group:first", report({ in: 11 }), NOW);
    expect(figures(index.metrics(NOW))).toEqual({ "group:loud": 5, [OTHER]: 116 });
  }));

it("who fell silent gives its name to who speaks", () =>
  withIndex({ named: 1 }, ({ index }) => {
    index.report("group:was", report({ in: 1_000 }), NOW);
    index.report("group:is", report({ in: 1 }), NOW + 2 * HOUR);
    expect(Object.keys(figures(index.metrics(NOW + HOUR)))).toEqual(["group:was", OTHER]);
    expect(Object.keys(figures(index.metrics(NOW + 2 * HOUR)))).toEqual(["group:is", OTHER]);
  }));

it("a room that was dropped and lives on is not counted twice", () =>
  withIndex({ rows: 1 }, ({ index }) => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    index.report("group:a", report({ in: 10 }), NOW);
    index.report("group:b", report({ in: 1 }), NOW + 1);
    index.report(
      "group:a",
      { ...report({ in: 12 }), before: { ...ZERO_COUNTERS, in: 10 } },
      NOW + 2,
    );
    expect(index.metrics(NOW).totals.counted.in).toBe(13);
  }));

it("takes 10,000 rooms", { timeout: 60_000 }, () =>
  withIndex({}, ({ index }) => {
    const began = performance.now();
    for (let n = 0; n < 10_000; n++) index.report(`group:${n}`, report({ in: 1 }), NOW + n);
    const took = performance.now() - began;
    console.log(`10,000 reports in ${took.toFixed(0)} ms`);
    const { rooms, totals } = index.metrics(NOW);
    expect([rooms.length, totals.counted.in, totals.sockets]).toEqual([501, 10_000, 10_000]);
  }),
);

it("adds up what objects have stored, of those that say it, until they end or are forgotten", () =>
  withIndex({}, ({ index, again }) => {
    const stored = (bytes: number, rows: number, state?: number) => ({
      ...report(),
      stored: { bytes, rows, ...(state !== undefined && { state }) },
    });
    index.report("group:a", stored(4_096, 3), NOW);
    index.report("group:a", stored(8_192, 5, 70), NOW + 1);
    index.report("group:b", stored(0, 0, 30), NOW);
    index.report("relay:any.0.0", stored(4_096, 1), NOW);
    index.report("group:older", report(), NOW);
    const none = { waiting: 0, waitingSeconds: 0 };
    const all = { objects: 4, bytes: 12_288, rows: 6, state: 100, ...none };
    expect([index.metrics(NOW).stored, again().metrics(NOW).stored]).toEqual([all, all]);
    index.report("group:a", { ...stored(0, 0), ended: true }, NOW + 2);
    expect(index.metrics(NOW).stored).toEqual({
      ...{ objects: 3, bytes: 4_096, rows: 1, state: 30 },
      ...none,
    });
    index.run(NOW + 25 * HOUR);
    expect(index.metrics(NOW).stored).toEqual({
      ...{ objects: 0, bytes: 0, rows: 0, state: 0 },
      ...none,
    });
  }));

it("adds up webhook events that wait, until their object reports that none does, or ends", () =>
  withIndex({}, ({ index, again }) => {
    const waiting = (events: number, seconds: number) => ({
      ...report({ in: 1, refusals: { waiting: 9 } }),
      waiting: { events, since: NOW - seconds * 1_000 },
    });
    const found = (now = NOW) => {
      const { waiting: events, waitingSeconds } = again().metrics(now).stored!;
      return [events, waitingSeconds];
    };
    index.report("group:a", waiting(3, 60), NOW);
    index.report("relay:any.0.0", waiting(4, 90), NOW);
    index.report("group:b", report({ refusals: { waiting: 9 } }), NOW);
    expect([found(), found(NOW + 1_500)]).toEqual([
      [7, 90],
      [7, 91.5],
    ]);
    index.report("relay:any.0.0", { ...report(), ended: true }, NOW);
    expect([found(), found(NOW - 90_000)]).toEqual([
      [3, 60],
      [3, 0],
    ]);
    index.report("group:a", report({ in: 2 }), NOW);
    expect([found(), index.metrics(NOW).totals.counted.in]).toEqual([[0, 0], 3]);
  }));

it("looks through its rows neither with each alarm nor with each object that ends", () =>
  withStorage((storage) => {
    const queries: string[] = [];
    const exec = (query: string, ...values: SqlStorageValue[]) => {
      queries.push(query);
      return storage.sql.exec(query, ...values);
    };
    const { kv } = storage;
    const transactionSync = (run: () => void) => storage.transactionSync(run);
    const index = new HubIndex({ kv, sql: { exec }, transactionSync } as never, () => {}, {
      ...INDEX_LIMITS,
      named: 2,
    });
    for (const name of ["a", "b", "c", "d"]) index.report(name, report(), NOW);
    const due = index.due(NOW);
    queries.length = 0;
    for (let at = NOW; at < NOW + 1_000; at += 100) {
      index.run(at);
      expect(index.due(at)).toBe(due);
    }
    for (const name of ["a", "d"]) index.report(name, { ...report(), ended: true }, NOW);
    expect(queries.filter((query) => !query.includes("name = ?"))).toEqual([]);
    index.report("e", report(), NOW);
    index.report("f", report(), NOW);
    expect(index.metrics(NOW).rooms.map(({ room }) => room)).toEqual(["b", "e", OTHER]);
    index.run(NOW + 25 * HOUR);
    expect(names(index)).toEqual([]);
  }));
