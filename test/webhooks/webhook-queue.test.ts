// The queue of webhook events, on real SQLite.

import { describe, expect, it } from "vitest";
import { CHARS_A_REQUEST, Queue } from "../../src/webhooks/webhook-queue.ts";
import { range, withStorage } from "../rooms/storage.ts";

const LIMITS = { events: 1_000, chars: 10 * CHARS_A_REQUEST, ageMs: 1_000 };
const event = (n: number, chars = 0) => ({
  id: `e${n}`,
  text: JSON.stringify({ n, ...(chars > 0 && { pad: "x".repeat(chars) }) }),
});
const events = (first: number, last: number, chars = 0) =>
  range(first, last).map((n) => event(n, chars));
const numbersIn = (text = "[]") => (JSON.parse(text) as { n: number }[]).map(({ n }) => n);

/** All batches, each acknowledged before the next one is read. */
function drained(queue: Queue): number[][] {
  const batches: number[][] = [];
  for (let batch = queue.next(); batch; batch = queue.next()) {
    batches.push(numbersIn(batch.text));
    queue.acknowledge(batch.last);
  }
  return batches;
}

describe("a queue", () => {
  it("gives what came, in order, a hundred events at a time, and is empty then", () =>
    withStorage(({ sql }) => {
      const queue = new Queue(sql, LIMITS);
      for (const n of range(1, 150)) queue.add([event(n)], 0);
      queue.add(events(151, 380), 0);
      const batches = drained(queue);
      expect(batches.flat()).toEqual(range(1, 380));
      expect(batches.map(({ length }) => length)).toEqual([100, 50, 100, 100, 30]);
      expect([queue.size, queue.next()]).toEqual([0, undefined]);
    }));

  it("gives no more at once than a request may have, but for one event that is larger", () =>
    withStorage(({ sql }) => {
      const queue = new Queue(sql, LIMITS);
      queue.add(events(1, 5, CHARS_A_REQUEST / 3), 0);
      queue.add([event(6, CHARS_A_REQUEST + 1)], 0);
      queue.add([event(7)], 0);
      expect(drained(queue)).toEqual([[1, 2], [3, 4], [5], [6], [7]]);
    }));

  it("gives a batch again as it was, whatever came since", () =>
    withStorage(({ sql }) => {
      const queue = new Queue(sql, LIMITS);
      queue.add(events(1, 2), 0);
      const batch = queue.next()!;
      queue.add([event(3)], 0);
      expect(queue.next(batch.last)).toEqual(batch);
      expect(queue.next()).toMatchObject({ id: "e1-3", count: 3 });
      expect(batch.id).toBe("e1-2");
    }));

  it("is after a wake what it was before, and goes on with its numbers", () =>
    withStorage(({ sql }) => {
      const first = new Queue(sql, LIMITS);
      first.add(events(1, 2), 0);
      first.acknowledge(first.next()!.last);
      first.add(events(3, 4), 0);
      const queue = new Queue(sql, LIMITS);
      expect(queue.size).toBe(2);
      queue.add([event(5)], 0);
      expect(drained(queue)).toEqual([[3, 4, 5]]);
    }));

  it("drops the oldest where more wait than may, a hundredth at once, and says how many", () =>
    withStorage(({ sql }) => {
      const queue = new Queue(sql, LIMITS);
      const dropped = range(1, 1_007).map((n) => queue.add([event(n)], 0));
      expect([queue.size, dropped.indexOf(11), Math.max(...dropped)]).toEqual([996, 1_000, 11]);
      expect(dropped.filter((count) => count > 0)).toEqual([11]);
      expect([queue.drop(0), drained(queue).flat()]).toEqual([0, range(12, 1_007)]);
    }));

  it("drops the oldest where they are too large together", () =>
    withStorage(({ sql }) => {
      const queue = new Queue(sql, LIMITS);
      const dropped = range(1, 12).map((n) => queue.add([event(n, CHARS_A_REQUEST)], 0));
      expect(dropped.reduce((sum, count) => sum + count)).toBe(3);
      expect(drained(queue)).toEqual(range(4, 12).map((n) => [n]));
    }));

  it("drops what is too old, and nothing that is not", () =>
    withStorage(({ sql }) => {
      const queue = new Queue(sql, LIMITS);
      queue.add(events(1, 3), 0);
      queue.add([event(4)], 1);
      expect(queue.drop(999)).toBe(0);
      expect([queue.drop(1_000), queue.size]).toEqual([3, 1]);
      expect(drained(queue)).toEqual([[4]]);
    }));

  it("looks at one row where nothing is too old", () =>
    withStorage(({ sql }) => {
      const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
      const exec = (query: string, ...values: SqlStorageValue[]) => {
        cursors.push(sql.exec(query, ...values));
        return cursors.at(-1)!;
      };
      const queue = new Queue({ exec } as never, LIMITS);
      for (const n of range(1, 900)) queue.add([event(n)], n);
      cursors.length = 0;
      expect(queue.drop(999)).toBe(0);
      expect(cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0)).toBeLessThan(10);
      expect([queue.drop(1_500), queue.size]).toEqual([500, 400]);
    }));
});
