// The two cheaper logs, and how a log is opened.

import { describe, expect, it, vi } from "vitest";
import { DEFAULTS, type Durability } from "../../../src/model/options.ts";
import type { Entry } from "../../../src/rooms/rpc/log-entry.ts";
import { SqliteLog } from "../../../src/rooms/log/sqlite-log.ts";
import { LogBehind, NoLog, OffsetLog } from "../../../src/rooms/log/log-modes.ts";
import { openLog } from "../../../src/rooms/log/open-log.ts";
import { entries, objectStorageOf, offsets, range, withStorage } from "../storage.ts";

const NOW = 1_000;
const opened = (storage: DurableObjectStorage, durability: Durability) =>
  openLog(objectStorageOf(storage), { ...DEFAULTS, durability }, { arm: () => {} }).log;

/** A log that writes behind, and the timer that makes it. */
function behind(storage: DurableObjectStorage) {
  const due: (() => void)[] = [];
  const saved = new SqliteLog(storage, DEFAULTS.history, "e");
  const log = new LogBehind(saved, storage.kv, { timer: (run) => due.push(run) });
  return { log, saved, due, tick: () => due.shift()?.() };
}

describe("a log that is written behind", () => {
  it("writes what it took at the next tick, in one row, and rests after an empty one", () =>
    withStorage((storage) => {
      const { log, saved, due, tick } = behind(storage);
      log.append(entries(1));
      log.append(entries(2, 3));
      expect([log.position.offset, saved.position.offset, storage.kv.get("unsaved")]).toEqual([
        3,
        0,
        true,
      ]);
      tick();
      expect([saved.position.offset, due.length, storage.kv.get("unsaved")]).toEqual([3, 1, true]);
      tick();
      expect([due.length, storage.kv.get("unsaved")]).toEqual([0, undefined]);
      expect(storage.sql.exec("SELECT first, last FROM log").toArray()).toEqual([
        { first: 1, last: 3 },
      ]);
      log.append(entries(4));
      expect([due.length, storage.kv.get("unsaved")]).toEqual([1, true]);
    }));

  it.for<[string, (log: LogBehind) => readonly Entry[] | undefined]>([
    ["resumes", (log) => log.since({ epoch: "e", offset: 0 }, NOW, 9).entries],
    ["pages", (log) => log.page({}, NOW, 9).entries],
    ["repairs", (log) => log.after(0)],
  ])("writes first where somebody %s", ([, read]) =>
    withStorage((storage) => {
      const { log, saved } = behind(storage);
      log.append(entries(1, 2));
      expect([offsets(read(log)), saved.position.offset]).toEqual([[1, 2], 2]);
    }),
  );

  it("tells when nothing is unsaved any more: entries that have no age kept the room", () =>
    withStorage((storage) => {
      const [ticks, told]: [(() => void)[], boolean[]] = [[], []];
      const inner = new OffsetLog("e", { commit: (_, write) => write(), offset: 0 });
      const timer = (run: () => void) => ticks.push(run);
      const written = () => void told.push(log.isEmpty);
      const log = new LogBehind(inner, storage.kv, { timer, written });
      log.append(entries(1));
      ticks.shift()!();
      expect(told).toEqual([]);
      ticks.shift()!();
      expect([told, ticks]).toEqual([[true], []]);
    }));

  it("knows ids before and after they are written", () =>
    withStorage((storage) => {
      const { log, tick } = behind(storage);
      log.append(entries(1, 1, { id: "a" }));
      expect([log.find("a", NOW), log.find("b", NOW)]).toEqual([1, undefined]);
      tick();
      expect([log.find("a", NOW), log.find("b", NOW)]).toEqual([1, undefined]);
    }));

  it("goes on under a new epoch after a crash, and under the old one after a rest", () =>
    withStorage((storage) => {
      vi.useFakeTimers({ toFake: ["setTimeout"] });
      try {
        const first = opened(storage, "behind");
        first.append(entries(1));
        vi.advanceTimersByTime(2_000);
        const rested = opened(storage, "behind");
        expect(rested.position).toEqual({ ...first.position, offset: 1 });
        rested.append(entries(2));
        const crashed = opened(storage, "behind");
        expect(crashed.position.offset).toBe(1);
        expect(crashed.position.epoch).not.toBe(first.position.epoch);
        expect(opened(storage, "behind").position).toEqual(crashed.position);
      } finally {
        vi.useRealTimers();
      }
    }));

  it("keeps one epoch when its hub then asks for every entry to be saved", () =>
    withStorage((storage) => {
      opened(storage, "behind").append(entries(1));
      const { epoch } = opened(storage, "logged").position;
      expect(opened(storage, "logged").position.epoch).toBe(epoch);
    }));

  it("[R6] tries again after a write that failed, refuses more until then, and loses nothing it took", () =>
    withStorage((storage) => {
      const logged = vi.spyOn(console, "error").mockImplementation(() => {});
      const { log, saved, due, tick } = behind(storage);
      const append = vi.spyOn(saved, "append");
      log.append(entries(1, 2));
      append.mockImplementation(() => {
        throw new Error("The disk is full.");
      });
      tick();
      expect(() => log.append(entries(3))).toThrow("full");
      expect([log.position.offset, due.length]).toEqual([2, 1]);
      append.mockRestore();
      log.append(entries(3));
      tick();
      expect(offsets(log.page({}, NOW, 9).entries)).toEqual(range(1, 3));
      logged.mockRestore();
    }));
});

describe("no log", () => {
  it("numbers what is said and keeps none of it", () => {
    const log = new NoLog();
    log.append(entries(1, 3));
    const { epoch } = log.position;
    expect(log.position).toEqual({ epoch, offset: 3 });
    expect(log.page({}).entries).toEqual([]);
    expect(log.find()).toBeUndefined();
  });

  it("recovers only who missed nothing", () => {
    const log = new NoLog();
    log.append(entries(1, 3));
    const { epoch } = log.position;
    const recovered = (offset: number, of = epoch) => log.since({ epoch: of, offset }).recovered;
    expect([recovered(3), recovered(2), recovered(4), recovered(3, "x")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect([log.after(3), log.after(2)]).toEqual([[], undefined]);
  });

  it("writes one key at a wake where the room's state has not begun", () =>
    withStorage((storage) => {
      const commit = (_: unknown, write: () => void) => write();
      const beside = { offset: undefined, commit };
      const wake = () => {
        const objects = objectStorageOf(storage);
        const put = vi.spyOn(objects.kv, "put");
        openLog(objects, { ...DEFAULTS, durability: "none" }, { arm: () => {}, beside });
        return put.mock.calls.map(([key]) => key);
      };
      storage.kv.put("settled", 0);
      expect([wake(), wake(), wake()]).toEqual([["unlogged", "epoch"], ["epoch"], ["epoch"]]);
    }));

  it("begins anew with each life of the object", () =>
    withStorage((storage) => {
      const epochs = [opened(storage, "none"), opened(storage, "none")].map(
        (log) => log.position.epoch,
      );
      expect(new Set(epochs).size).toBe(2);
    }));
});

describe("a log that is saved", () => {
  it("keeps its epoch, and another object has another", async () => {
    const epochs = await withStorage((storage) => {
      const first = opened(storage, "logged");
      first.append(entries(1));
      return [first, opened(storage, "logged")].map((log) => log.position.epoch);
    });
    const other = await withStorage((storage) => opened(storage, "logged").position.epoch);
    expect(epochs[0]).toBe(epochs[1]);
    expect(other).not.toBe(epochs[0]);
  });
});
