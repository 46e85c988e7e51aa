// Entries past their age leave the storage, and reading costs the rows that are read.

import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { logExpiry } from "../../../src/rooms/log/open-log.ts";
import { SqliteLog } from "../../../src/rooms/log/sqlite-log.ts";
import { entries, offsets, presenceEntries, range, withStorage } from "../storage.ts";

const TTL = 600_000;
const at = (offset: number) => ({ epoch: "e", offset });
const history = { size: 10, ttlSeconds: TTL / 1000 };

function opened(storage: DurableObjectStorage) {
  const armed: number[] = [];
  const log = new SqliteLog(storage, { ...history, arm: (due) => armed.push(due) }, "e");
  return { log, armed };
}

/** The same storage, for a log in a table of its own. */
function secondTable(storage: DurableObjectStorage): DurableObjectStorage {
  const exec = (query: string, ...values: unknown[]) =>
    storage.sql.exec(query.replaceAll(/\blog\b/g, "second"), ...values);
  const transactionSync = <T>(run: () => T): T => storage.transactionSync(run);
  return { sql: { exec }, transactionSync } as unknown as DurableObjectStorage;
}

const textsIn = ({ sql }: DurableObjectStorage): string =>
  JSON.stringify(sql.exec("SELECT entries FROM log").toArray());
const rowsIn = ({ sql }: DurableObjectStorage) =>
  sql.exec("SELECT COUNT(*) AS n FROM log").one()["n"];

describe("a log past its age", () => {
  it("asks for an alarm with the first message, and holds no text after it", () =>
    withStorage((storage) => {
      const { log, armed } = opened(storage);
      const secret = { params: '["a secret"]' };
      log.append(entries(1, 3, { ...secret, at: 0 }));
      log.append(entries(4, 4, { ...secret, at: 1 }));
      expect(armed).toEqual([2 * TTL]);
      log.expire(2 * TTL);
      expect([textsIn(storage), rowsIn(storage)]).toEqual(['[{"entries":"[]"}]', 1]);
      expect([log.position, log.expiresAt]).toEqual([at(4), undefined]);
      log.append(entries(5, 5, { at: 3 * TTL }));
      expect(armed).toEqual([2 * TTL, 5 * TTL]);
      expect(offsets(log.since(at(4), 3 * TTL, 9).entries)).toEqual([5]);
      expect(log.page({ since: at(3) }, 3 * TTL, 9).recovered).toBe(false);
    }));

  it("keeps its offset where it has presence and changes of a state alone", () =>
    withStorage((storage) => {
      const { log } = opened(storage);
      log.append(presenceEntries(1, 3).map((entry) => ({ ...entry, at: 0 })));
      log.expire(2 * TTL);
      expect([log.position, log.isEmpty, textsIn(storage)]).toEqual([
        at(3),
        true,
        '[{"entries":"[]"}]',
      ]);
      expect(opened(storage).log.position).toEqual(at(3));
    }));

  it("keeps the young, and says when those are due", () =>
    withStorage((storage) => {
      const { log } = opened(storage);
      for (const offset of range(1, 6))
        log.append(entries(offset, offset, { at: offset * 100_000 }));
      log.expire(1_000_000);
      expect(offsets(log.page({}, 1_000_000, 9).entries)).toEqual([4, 5, 6]);
      expect(rowsIn(storage)).toBe(3);
      expect(log.expiresAt).toBe(400_000 + 2 * TTL);
      expect(log.page({ since: at(2) }, 1_000_000, 9).recovered).toBe(false);
    }));

  it("overwrites what is past its age first, so that a slow room keeps few rows", () =>
    withStorage((storage) => {
      const { log } = opened(storage);
      for (const offset of range(1, 50))
        log.append(entries(offset, offset, { at: offset * 400_000 }));
      expect(rowsIn(storage)).toBeLessThanOrEqual(3);
    }));

  it("does not ring again at once where erasing has failed", () =>
    withStorage((storage) => {
      const { log } = opened(storage);
      log.append(entries(1, 1, { at: 0 }));
      const duty = logExpiry(log, { age: TTL / 1_000 });
      expect(duty.due(5 * TTL)).toBe(5 * TTL + 60_000);
      // An alarm for something else, shortly before, postpones nothing.
      expect(duty.due(2 * TTL - 1_000)).toBe(2 * TTL);
      void duty.run(5 * TTL);
      expect(duty.due(5 * TTL)).toBeUndefined();
    }));

  it("is done by an alarm for something else from a quarter of an age before its time on, and not before", () =>
    withStorage((storage) => {
      const { log } = opened(storage);
      log.append(entries(1, 1, { at: 0 }));
      let checkpoints = 0;
      const before = () => void checkpoints++;
      const duty = logExpiry(log, { age: TTL / 1_000, before });
      const expire = vi.spyOn(log, "expire");
      void duty.run(1.75 * TTL - 1);
      expect([checkpoints, expire.mock.calls]).toEqual([0, []]);
      void duty.run(1.75 * TTL);
      expect([checkpoints, expire.mock.calls]).toEqual([1, [[1.75 * TTL]]]);
      void duty.run(1.75 * TTL);
      expect(checkpoints).toBe(1);
    }));

  it("answers as a log that is never erased, whatever was written and when", async () => {
    const batch = fc.record({
      count: fc.integer({ min: 1, max: 3 }),
      presence: fc.boolean(),
      pauseMs: fc.constantFrom(0, 1_000, TTL / 2, TTL, 3 * TTL),
      erases: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { maxLength: 30 }), (batches) =>
        withStorage((storage) => {
          const [erased, kept] = [opened(storage).log, opened(secondTable(storage)).log];
          let [top, now] = [0, 0];
          for (const { count, presence, pauseMs, erases } of batches) {
            now += pauseMs;
            if (erases) erased.expire(now);
            expect(erased.position).toEqual(kept.position);
            const more = (presence ? presenceEntries : entries)(top + 1, top + count);
            const dated = more.map((entry) => ({ ...entry, at: now }));
            top += count;
            for (const log of [erased, kept]) log.append(dated);
            if (erases) erased.expire(now);
            const reopened = opened(storage).log;
            for (const log of [erased, reopened]) {
              expect(log.position).toEqual(kept.position);
              expect(log.page({}, now, 99)).toEqual(kept.page({}, now, 99));
              for (const from of range(Math.max(0, top - 9), top)) {
                expect(log.since(at(from), now, 99)).toEqual(kept.since(at(from), now, 99));
                const query = { since: at(from), limit: 2 };
                expect(log.page(query, now, 99)).toEqual(kept.page(query, now, 99));
              }
            }
          }
        }),
      ),
      { numRuns: 80 },
    );
  });
});

it("a page reads as many rows as it gives, however long the history is", () =>
  withStorage((storage) => {
    let reads = 0;
    const exec = (query: string, ...values: unknown[]) => {
      if (query.startsWith("SELECT entries")) reads += 1;
      return storage.sql.exec(query, ...values);
    };
    const transactionSync = <T>(run: () => T): T => storage.transactionSync(run);
    const counted = { sql: { exec }, transactionSync } as unknown as DurableObjectStorage;
    const log = new SqliteLog(counted, { size: 100, ttlSeconds: 600 }, "e");
    for (const offset of range(1, 100)) log.append(entries(offset));
    const costOf = (read: () => unknown) => {
      reads = 0;
      read();
      return reads;
    };
    expect(costOf(() => log.page({ limit: 1 }, 1_000, 99))).toBeLessThanOrEqual(2);
    expect(costOf(() => log.page({ since: at(50), limit: 3 }, 1_000, 99))).toBeLessThanOrEqual(4);
    expect(costOf(() => log.since(at(98), 1_000, 99))).toBe(2);
    expect(costOf(() => log.page({ since: at(100) }, 1_000, 99))).toBe(0);
  }));
