// An object with activity reports alone, whose clock is the test's.

import { newCounters, ZERO_COUNTERS } from "../../../src/rooms/observe/counters.ts";
import type { KeyValues } from "../../../src/model/stored-values.ts";
import type {
  CounterSnapshot,
  KeptCounts,
  Report,
} from "../../../src/rooms/rpc/activity-report.ts";
import type { CountsKeeper } from "../../../src/rooms/observe/last-report.ts";
import { ActivityReports } from "../../../src/rooms/observe/activity-reports.ts";

export const START = 1_800_000_000_000;
export const SECOND = 1_000;

/** Attachments of an object's sockets: they outlive its sleep, and are lost in a crash. */
export class Sockets implements CountsKeeper {
  counts: KeptCounts | undefined;
  isFull = false;

  keep(counts: KeptCounts): boolean {
    this.counts = this.isFull ? undefined : counts;
    return !this.isFull;
  }
}

/** An object with one duty; `kv` and `keeper` outlive its wakes. */
export function object(kv = new Map<string, unknown>(), start = START, keeper?: CountsKeeper) {
  let now = start;
  const counters = newCounters();
  const crowd = { sockets: 1, connections: 1, users: 1 };
  const told: [seconds: number, report: Report][] = [];
  const news: CounterSnapshot[] = [];
  /** `read`: rows that were read to be counted. */
  const file = { bytes: 40_960, rows: 2, read: 0 };
  const room = { published: 0 };
  const state = {
    ...{ fails: false, isSettled: true, pending: Promise.resolve() as Promise<unknown> },
    delay: undefined as Promise<void> | undefined,
  };
  const reports = new ActivityReports({
    storage: {
      kv: { get: (key: string) => kv.get(key), put: kv.set.bind(kv) } as unknown as KeyValues,
      isEmpty: false,
      get bytes() {
        return file.bytes;
      },
      countRows() {
        file.read += file.rows;
        return file.rows;
      },
    },
    ...(keeper && { keeper }),
    ...{ counters, wake: `w${start}`, occupancy: () => ({ ...crowd }) },
    snapshot: () => ({ ...ZERO_COUNTERS, in: counters.in, wakes: counters.wakes }),
    async report(report) {
      if (state.delay) await state.delay;
      if (state.fails) throw new Error("down");
      told.push([(now - START) / SECOND, report]);
    },
    reported: (_, counted) => void news.push(counted),
    published: () => room.published,
    arm: () => {},
    now: () => now,
    settled: async () => state.isSettled,
    waitUntil: (work) => void (state.pending = work),
  });
  return Object.assign(room, {
    ...{ reports, crowd, told, news, state, kv, file },
    /** How often an alarm rang. */
    alarms: 0,
    at: () => told.map(([seconds]) => seconds),
    say(messages = 1) {
      counters.in += messages;
      reports.note();
    },
    /** Alarms ring when they are due, until then. */
    async until(seconds: number) {
      const end = START + seconds * SECOND;
      await state.pending;
      for (let due = reports.due(); due !== undefined && due <= end; due = reports.due()) {
        now = due;
        reports.run(now);
        this.alarms++;
        // oxlint-disable-next-line no-await-in-loop -- one alarm after another
        await state.pending;
      }
      now = end;
    },
  });
}
