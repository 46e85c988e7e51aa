// How much of a log is read for one answer, whatever its history holds.

import { expect, it } from "vitest";
import { batchOver } from "../../../src/rooms/log/log-rows.ts";
import { SqliteLog } from "../../../src/rooms/log/sqlite-log.ts";
import { entries, offsets, range, withStorage } from "../storage.ts";

const NOW = 1_000;
const at = (offset: number) => ({ epoch: "e", offset });
const LARGE = { params: JSON.stringify(["x".repeat(200_000)]) };

/** A log of 60 rows of 200,000 characters, and the number of rows that a reader has read of it. */
function largeLog(storage: DurableObjectStorage) {
  const log = new SqliteLog(storage, { size: 100, ttlSeconds: 600 }, "e");
  for (const offset of range(1, 60)) log.append(entries(offset, offset, LARGE));
  let rows = 0;
  const sql = {
    exec(query: string, ...values: SqlStorageValue[]) {
      if (query.startsWith("SELECT entries")) rows += 1;
      return storage.sql.exec(query, ...values);
    },
  };
  const counted = { sql, transactionSync: <T>(run: () => T) => storage.transactionSync(run) };
  const read = new SqliteLog(counted as never, { size: 100, ttlSeconds: 600 }, "e");
  return { log: read, rows: () => rows };
}

it("a replay that grows too large is read no further", () =>
  withStorage((storage) => {
    const { log, rows } = largeLog(storage);
    const missed = log.since(at(0), NOW, 500, batchOver(500, 1_000_000));
    expect([offsets(missed.entries), rows()]).toEqual([[1, 2, 3, 4, 5], 5]);
  }));

it("a follower that is far behind has its log read batch by batch", () =>
  withStorage((storage) => {
    const { log, rows } = largeLog(storage);
    expect([offsets(log.after(0)!), rows()]).toEqual([range(1, 21), 21]);
    expect(offsets(log.after(21)!)).toEqual(range(22, 42));
    expect(offsets(log.after(42)!)).toEqual(range(43, 60));
  }));

it("a batch has no more small entries than its follower is sent at once", () =>
  withStorage((storage) => {
    const log = new SqliteLog(storage, { size: 5_000, ttlSeconds: 600 }, "e");
    for (const n of range(0, 9)) log.append(entries(n * 300 + 1, n * 300 + 300));
    expect(offsets(log.after(0)!)).toEqual(range(1, 500));
    expect(offsets(log.after(2_600)!)).toEqual(range(2_601, 3_000));
  }));

it("a page reads no row behind its last message", () =>
  withStorage((storage) => {
    const { log, rows } = largeLog(storage);
    expect([offsets(log.page({ limit: 3 }, NOW, 500).entries), rows()]).toEqual([[58, 59, 60], 3]);
  }));

it("a page says how much was read for it", () =>
  withStorage((storage) => {
    const log = new SqliteLog(storage, { size: 5_000, ttlSeconds: 600 }, "e");
    log.append(entries(1, 3_000));
    const { entries: given, readChars } = log.page({ limit: 1 }, NOW, 500);
    expect([offsets(given), readChars! > 100_000]).toEqual([[3_000], true]);
  }));
