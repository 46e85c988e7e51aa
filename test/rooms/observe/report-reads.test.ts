// What reports read of a real database to count its rows, by the platform's own figures: reads are billed.

import { expect, it, vi } from "vitest";
import { newCounters, ZERO_COUNTERS } from "../../../src/rooms/observe/counters.ts";
import { ActivityReports } from "../../../src/rooms/observe/activity-reports.ts";
import type { ObjectStorage } from "../../../src/rooms/platform/object-storage.ts";
import type { Report } from "../../../src/rooms/rpc/activity-report.ts";
import { objectStorageOf, range, withStorage } from "../storage.ts";

const ROWS = 5_000;
const MINUTE = 60_000;

function filled(storage: DurableObjectStorage): ObjectStorage {
  const made = objectStorageOf(storage);
  made.sql.exec("CREATE TABLE IF NOT EXISTS present (user TEXT PRIMARY KEY) WITHOUT ROWID");
  made.transactionSync(() => {
    for (const n of range(1, ROWS)) made.sql.exec("INSERT INTO present VALUES (?)", `user-${n}`);
  });
  return made;
}

/** Rows read by all statements from now on, in any order. */
function reads({ sql }: DurableObjectStorage): () => number {
  const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  const exec = sql.exec.bind(sql);
  vi.spyOn(sql, "exec").mockImplementation((query: string, ...values: SqlStorageValue[]) => {
    const cursor = exec(query, ...values);
    cursors.push(cursor);
    return cursor;
  });
  return () => cursors.splice(0).reduce((sum, { rowsRead }) => sum + rowsRead, 0);
}

it("reads every row for the first report, and none for those of the next hour", () =>
  withStorage(async (storage) => {
    const counters = newCounters();
    const told: Report[] = [];
    let [now, sent]: [number, Promise<unknown>] = [0, Promise.resolve()];
    const reports = new ActivityReports({
      ...{ storage: filled(storage), counters, wake: "w", now: () => now, arm: () => {} },
      snapshot: () => ({ ...ZERO_COUNTERS, in: counters.in }),
      occupancy: () => ({ sockets: 1, connections: 1, users: 1 }),
      report: async (report) => void told.push(report),
      reported: () => {},
      settled: async () => true,
      waitUntil: (work) => void (sent = work),
    });
    const readSince = reads(storage);
    const read: number[] = [];
    for (; now <= 60 * MINUTE; now += MINUTE) {
      counters.in++;
      reports.note();
      reports.run((now = reports.due()!));
      // oxlint-disable-next-line no-await-in-loop -- one report after another
      await sent;
      read.push(readSince());
    }
    expect(told.length).toBeGreaterThanOrEqual(50);
    expect(told.every(({ stored }) => stored?.rows === ROWS)).toBe(true);
    expect(read[0]).toBeGreaterThanOrEqual(ROWS);
    expect(read.slice(1).every((rows) => rows === 0)).toBe(true);
  }));
