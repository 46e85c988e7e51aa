// A room's log on real SQLite: what it keeps, what it forgets, and what it refuses.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SqliteLog } from "../../../src/rooms/log/sqlite-log.ts";
import { entries, offsets, presenceEntries, range, withStorage } from "../storage.ts";

const NOW = 1_000;
const EPOCH = "e";
const at = (offset: number, epoch = EPOCH) => ({ epoch, offset });
const open = (storage: DurableObjectStorage, size = 10, ttlSeconds = 600) =>
  new SqliteLog(storage, { size, ttlSeconds }, EPOCH);
const rowsIn = ({ sql }: DurableObjectStorage) =>
  sql.exec("SELECT COUNT(*) AS n FROM log").one()["n"];

describe("a log", () => {
  it("begins at the start of its epoch", () =>
    withStorage((storage) => {
      const log = open(storage);
      expect([log.position, log.page({}, NOW, 9)]).toEqual([
        at(0),
        { entries: [], position: at(0), recovered: true },
      ]);
    }));

  it("replays all after a position, as it was said", () =>
    withStorage((storage) => {
      const log = open(storage);
      log.append(entries(1, 3));
      log.append(entries(4, 4, { id: "four", except: ["me"], params: '["日\u2028\\"]' }));
      expect(log.since(at(2), NOW, 9)).toEqual({
        entries: [
          ...entries(3),
          ...entries(4, 4, { id: "four", except: ["me"], params: '["日\u2028\\"]' }),
        ],
        position: at(4),
        recovered: true,
      });
      expect(log.since(at(4), NOW, 9)).toEqual({ entries: [], position: at(4), recovered: true });
    }));

  it.for([
    ["another epoch", at(3, "other"), NOW, 100],
    ["a number that was never given", at(31), NOW, 100],
    ["too many missed", at(27), NOW, 2],
    ["more than the history holds", at(19), NOW, 100],
    ["what is too old", at(29), NOW + 600_001, 100],
  ] as const)("[R2] refuses to recover across %s, and replays nothing", ([, since, now, most]) =>
    withStorage((storage) => {
      const log = open(storage);
      for (const offset of range(1, 30)) log.append(entries(offset));
      expect(log.since(since, now, most)).toEqual({
        entries: [],
        position: at(30),
        recovered: false,
      });
    }),
  );

  it("ends a page where it grows too large for one answer, and goes on from there", () =>
    withStorage((storage) => {
      const log = open(storage);
      const params = JSON.stringify(["x".repeat(240_000)]);
      for (const offset of range(1, 6)) log.append(entries(offset, offset, { params }));
      const first = log.page({ since: at(0) }, NOW, 9).entries;
      expect(offsets(first)).toEqual([1, 2, 3, 4]);
      expect(offsets(log.page({ since: at(4) }, NOW, 9).entries)).toEqual([5, 6]);
      expect(offsets(log.page({}, NOW, 9).entries)).toEqual([3, 4, 5, 6]);
      expect(offsets(log.page({ reverse: true }, NOW, 9).entries)).toEqual([6, 5, 4, 3]);
    }));

  it("recovers at the very edge of each limit", () =>
    withStorage((storage) => {
      const log = open(storage);
      for (const offset of range(1, 30)) log.append(entries(offset));
      expect(offsets(log.since(at(20), NOW + 600_000, 10).entries)).toEqual(range(21, 30));
      expect(log.since(at(30), NOW + 1e9, 0).recovered).toBe(true);
    }));

  it("keeps at least its size, and no more rows than that, however long it runs", () =>
    withStorage((storage) => {
      const log = open(storage);
      for (const offset of range(1, 500)) log.append(entries(offset));
      expect(offsets(log.page({}, NOW, 100).entries)).toEqual(range(491, 500));
      expect(rowsIn(storage)).toBe(10);
    }));

  it("keeps a batch larger than its size whole", () =>
    withStorage((storage) => {
      const log = open(storage);
      log.append(entries(1, 35));
      expect(offsets(log.since(at(0), NOW, 100).entries)).toEqual(range(1, 35));
    }));

  it("is the same after a loss of memory", () =>
    withStorage((storage) => {
      const log = open(storage);
      for (const offset of range(1, 47)) {
        log.append(offset % 3 === 0 ? presenceEntries(offset) : entries(offset));
        const again = open(storage);
        expect(again.position).toEqual(log.position);
        expect(again.page({}, NOW, 100)).toEqual(log.page({}, NOW, 100));
        expect(again.since(at(offset - 2), NOW, 9)).toEqual(log.since(at(offset - 2), NOW, 9));
      }
    }));

  it("does not let coming and going displace what was said", () =>
    withStorage((storage) => {
      const log = open(storage);
      log.append(entries(1, 4));
      for (const offset of range(5, 500)) log.append(presenceEntries(offset));
      expect(offsets(log.page({}, NOW, 100).entries)).toEqual([1, 2, 3, 4]);
      expect(offsets(log.page({ since: at(2) }, NOW, 100).entries)).toEqual([3, 4]);
      expect(log.since(at(2), NOW, 1_000).recovered).toBe(false);
      expect(offsets(log.since(at(480), NOW, 1_000).entries)).toEqual(range(481, 500));
      expect(rowsIn(storage)).toBe(31);
    }));

  it("keeps its size of messages, whatever comes and goes between them", () =>
    withStorage((storage) => {
      const log = open(storage, 3);
      for (const offset of range(1, 60))
        log.append(offset % 10 === 0 ? entries(offset) : presenceEntries(offset));
      expect(offsets(log.page({}, NOW, 100).entries)).toEqual([40, 50, 60]);
      expect(offsets(log.page({ since: at(35) }, NOW, 100).entries)).toEqual([40, 50, 60]);
      expect(log.page({ since: at(29) }, NOW, 100).recovered).toBe(false);
    }));

  it("pages its messages forward from a position, backward from the end", () =>
    withStorage((storage) => {
      const log = open(storage, 100);
      log.append([...entries(1, 6), ...presenceEntries(7), ...entries(8, 10)]);
      const page = (query: object, most = 100) => offsets(log.page(query, NOW, most).entries);
      expect(page({})).toEqual([...range(1, 6), 8, 9, 10]);
      expect(page({ limit: 2 })).toEqual([9, 10]);
      expect(page({ limit: 2, reverse: true })).toEqual([10, 9]);
      expect(page({ since: at(5), limit: 2 })).toEqual([6, 8]);
      expect(page({ since: at(5), limit: 2, reverse: true })).toEqual([10, 9]);
      expect(page({ limit: 0 })).toEqual([]);
      expect(page({}, 3)).toEqual([8, 9, 10]);
      expect(log.page({ since: at(5, "other") }, NOW, 9)).toMatchObject({
        recovered: false,
        entries: [],
      });
      expect(log.page({ since: at(11) }, NOW, 9)).toMatchObject({ recovered: false, entries: [] });
    }));

  it("remembers ids as long as the messages, and no longer", () =>
    withStorage((storage) => {
      const log = open(storage);
      const find = (offset: number, now = NOW) => log.find(`id ${offset}`, now);
      for (const offset of range(1, 15))
        log.append(entries(offset, offset, { id: `id ${offset}` }));
      expect([find(5), find(6), find(15), find(16)]).toEqual([undefined, 6, 15, undefined]);
      log.append(entries(16, 16, { id: "id 16" }));
      expect([find(6), find(7), find(16)]).toEqual([undefined, 7, 16]);
      expect(find(16, NOW + 600_001)).toBeUndefined();
      expect(open(storage).find("id 16", NOW)).toBe(16);
    }));

  it("forgets ids by the thousands without reading itself each time", () =>
    withStorage((storage) => {
      const log = open(storage);
      for (let offset = 1; offset <= 20_000; offset += 100) {
        const batch = range(offset, offset + 99).flatMap((n) => entries(n, n, { id: `${n}` }));
        log.append(batch);
        expect(log.find(`${offset}`, NOW)).toBe(offset);
      }
      expect([log.find("19900", NOW), log.find("19901", NOW), log.find("20000", NOW)]).toEqual([
        undefined,
        19_901,
        20_000,
      ]);
    }));

  it("writes a long batch as rows that fit, all of them or none", () =>
    withStorage((storage) => {
      const log = open(storage);
      const large = range(1, 5).flatMap((offset) =>
        entries(offset, offset, { params: `["${"x".repeat(200_000)}"]` }),
      );
      log.append(large);
      expect(rowsIn(storage)).toBe(5);
      expect(log.since(at(0), NOW, 9).entries).toEqual(large);
      const failing = failingAt(storage, 3);
      const next = large.map((entry) => ({ ...entry, offset: entry.offset + 5 }));
      const broken = new SqliteLog(failing, { size: 10, ttlSeconds: 600 }, EPOCH);
      expect(() => broken.append(next)).toThrow("disk");
      expect([broken.position, open(storage).position]).toEqual([at(5), at(5)]);
      expect(broken.since(at(0), NOW, 9).entries).toEqual(large);
    }));
});

describe("a log that loses its messages on purpose", () => {
  const withIds = (first: number, last: number) =>
    range(first, last).flatMap((n) => entries(n, n, { id: `id ${n}` }));
  const found = (log: SqliteLog, ...ids: number[]) => ids.map((id) => log.find(`id ${id}`, NOW));
  const filled = (storage: DurableObjectStorage) => {
    const log = open(storage);
    for (const offset of range(1, 5)) log.append(withIds(offset, offset));
    expect(found(log, 5)).toEqual([5]);
    return log;
  };
  /** Positions from which the log gives all entries, and those from which it gives all messages. */
  const recovered = (log: SqliteLog) => {
    const all = range(0, log.position.offset);
    return [
      all.filter((offset) => log.since(at(offset), NOW, 100).recovered),
      all.filter((offset) => log.page({ since: at(offset) }, NOW, 100).recovered),
    ];
  };

  it("is empty once it was cleared, and goes on behind its newest number", () =>
    withStorage((storage) => {
      const log = filled(storage);
      log.clear(NOW);
      for (const one of [log, open(storage)]) {
        expect([one.position, one.isEmpty, one.page({}, NOW, 9).entries]).toEqual([
          at(5),
          true,
          [],
        ]);
        expect(recovered(one)).toEqual([[5], [5]]);
        expect(found(one, 3, 5)).toEqual([undefined, undefined]);
      }
      log.append(presenceEntries(6));
      log.append(withIds(7, 7));
      for (const one of [log, open(storage)]) {
        expect(offsets(one.since(at(5), NOW, 9).entries)).toEqual([6, 7]);
        expect(recovered(one)).toEqual([range(5, 7), range(5, 7)]);
        expect(found(one, 5, 7)).toEqual([undefined, 7]);
      }
    }));

  it("writes nothing where nothing was ever published", () =>
    withStorage((storage) => {
      const log = open(storage);
      log.clear(NOW);
      expect([log.position, rowsIn(storage)]).toEqual([at(0), 0]);
    }));

  it("keeps everything where clearing fails", () =>
    withStorage((storage) => {
      filled(storage);
      const log = new SqliteLog(failingAt(storage, 1), { size: 10, ttlSeconds: 600 }, EPOCH);
      expect(() => log.clear(NOW)).toThrow("disk");
      expect([log.position, found(log, 1, 5)]).toEqual([at(5), [1, 5]]);
      expect(offsets(log.since(at(0), NOW, 9).entries)).toEqual(range(1, 5));
    }));

  it("begins another epoch from its first number once it was erased", () =>
    withStorage((storage) => {
      const log = filled(storage);
      log.erase("f");
      expect([log.position, log.isEmpty, found(log, 5)]).toEqual([at(0, "f"), true, [undefined]]);
      expect(log.since(at(5), NOW, 9).recovered).toBe(false);
      log.append(withIds(1, 1));
      expect([log.position, offsets(log.since(at(0, "f"), NOW, 9).entries)]).toEqual([
        at(1, "f"),
        [1],
      ]);
    }));
});

/** Storage whose nth insert fails. */
function failingAt(storage: DurableObjectStorage, nth: number): DurableObjectStorage {
  let inserts = 0;
  const exec = (query: string, ...values: unknown[]) => {
    if (query.startsWith("INSERT") && ++inserts === nth) throw new Error("The disk is full.");
    return storage.sql.exec(query, ...values);
  };
  const transactionSync = <T>(run: () => T): T => storage.transactionSync(run);
  return { sql: { exec }, transactionSync } as unknown as DurableObjectStorage;
}

describe("a log whose hub changed its history", () => {
  it.for([
    ["smaller", 20, 5],
    ["larger", 5, 20],
    ["nothing", 20, 0],
  ] as const)("to %s never shows a hole", ([, before, after]) =>
    withStorage((storage) => {
      const first = open(storage, before);
      for (const offset of range(1, 33)) first.append(entries(offset));
      const log = open(storage, after);
      for (const offset of range(34, 90)) {
        log.append(entries(offset));
        const seen = offsets(log.page({}, NOW, 1_000).entries)!;
        expect(seen).toEqual(range(offset - seen.length + 1, offset));
        const full = offset > 34 + after;
        expect(full ? seen.length : after).toBe(after);
        const whole = log.since(at(offset - 9), NOW, 100);
        expect(whole.recovered ? offsets(whole.entries) : []).toEqual(
          whole.recovered ? range(offset - 8, offset) : [],
        );
        expect(whole.recovered).toBe(seen.length >= 9);
      }
    }),
  );

  it("is whole or refuses, whatever the sizes and batches", async () => {
    const change = fc.record({
      size: fc.integer({ min: 0, max: 6 }),
      batches: fc.array(
        fc.record({ count: fc.integer({ min: 1, max: 4 }), presence: fc.boolean() }),
        { maxLength: 30 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 5 }), (changes) =>
        withStorage((storage) => {
          const said: number[] = [];
          let top = 0;
          for (const { size, batches } of changes) {
            const log = open(storage, size);
            for (const { count, presence } of batches) {
              const made = (presence ? presenceEntries : entries)(top + 1, top + count);
              if (!presence) said.push(...offsets(made)!);
              log.append(made);
              top += count;
            }
            for (const from of range(0, top)) {
              const { recovered, entries: replay } = log.since(at(from), NOW, 1_000);
              expect(offsets(replay)).toEqual(recovered ? range(from + 1, top) : []);
              const page = log.page({ since: at(from) }, NOW, 1_000);
              expect(offsets(page.entries)).toEqual(
                page.recovered ? said.filter((n) => n > from) : [],
              );
              const repair = offsets(log.after(from)) ?? range(from + 1, top);
              expect(repair).toEqual(range(from + 1, top));
            }
            expect(offsets(log.page({}, NOW, 1_000).entries)).toEqual(
              said.slice(said.length - log.page({}, NOW, 1_000).entries.length),
            );
          }
        }),
      ),
      { numRuns: 60 },
    );
  });
});
