// When an object reports its activity to its hub's index: 2 s after the first activity of a wake, each minute while it
// goes on, and once more when it rests, before the object sleeps and loses its counters. An idle object reports
// nothing.
//
// A report is sent at least once: one that fails is sent again in a minute, with newer counters. Counters are absolute
// within a wake, so the index counts a repeated report once. A crash loses what was counted since the last report.

import { logWarning } from "../../model/logger.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { ObjectStorage } from "../platform/object-storage.ts";
import { countRefusal, ZERO_COUNTERS, difference, type Counters } from "./counters.ts";
import type { CounterSnapshot, Occupancy, Report, Stored } from "../rpc/activity-report.ts";

interface ActivityReportsOptions {
  readonly storage: Pick<ObjectStorage, "kv" | "isEmpty" | "bytes" | "countRows">;
  readonly counters: Counters;
  /** Id of this wake of the object. */
  readonly wake: string;
  /** False: nothing is ever reported, since the hub is no longer served. Default: true. */
  readonly isReported?: boolean;
  snapshot(): CounterSnapshot;
  /** Sockets, connections and users now. */
  occupancy(): Occupancy;
  /** Of the room's state, where it has one. */
  stateBytes?: (() => number | undefined) | undefined;
  /** Sends a report to the index. */
  report(report: Report): Promise<void>;
  /** The index has the report; `increase` is what was counted since the one before. */
  reported(report: Report, increase: CounterSnapshot): void;
  arm(at: number): void;
  now(): number;
  waitUntil(work: Promise<unknown>): void;
}

/** After the first activity of a wake: lists are fresh, and a burst is one report. */
const SOON_MS = 2_000;
/** Between two checks for further activity: less than the ten seconds after which an idle object sleeps. */
const CHECK_MS = 8_000;
const EVERY_MS = 60_000;
/** An object that only has connections reports now and then, when the sweep wakes it: the index forgets in a day. */
const HEARTBEAT_MS = 3_600_000;

/**
 * Pause after a count, for each row in it: to count a row is to read it, and reads are billed. So an object reads a row a
 * second at most for its reports, however many it has, and again …
 */
const COUNT_MS_PER_ROW = 1_000;
/** … once its file has grown or shrunk by this part: a row is then read some eight times in all. */
const CHANGED_PART = 1 / 8;

/** Rows as they were counted last, and the size of the file then. */
interface RowCount {
  readonly rows: number;
  readonly bytes: number;
  readonly countedAt: number;
}

/** The last report; survives sleep. */
interface LastReport extends Occupancy {
  readonly at: number;
  readonly count?: RowCount;
}

export class ActivityReports implements Duty {
  readonly #options: ActivityReportsOptions;
  readonly counters: Counters;
  /** True while a check is due already, or nothing is ever reported: then activity need not be noted. */
  isDue: boolean;
  #last: LastReport | undefined;
  #count: RowCount | undefined;
  /** When the next check is due; undefined while there is no activity. */
  #checkAt: number | undefined;
  /** When this wake reported last. */
  #reportedAt: number | undefined;
  /** Messages counted at the last check. */
  #messagesAtLastCheck = 0;
  /** Reports on their way. */
  #sending = 0;
  /** The counters of the last report. */
  #reportedCounters = ZERO_COUNTERS;

  constructor(options: ActivityReportsOptions) {
    this.#options = options;
    this.counters = options.counters;
    this.isDue = options.isReported === false;
    this.#last = options.storage.kv.get<LastReport>("told");
    this.#count = this.#last?.count;
  }

  /** Something happens here. May be repeated; callers on hot paths ask `isDue` first. */
  note(): void {
    if (this.isDue) return;
    const delay = this.#reportedAt === undefined ? SOON_MS : CHECK_MS;
    this.#checkAgain(this.#options.now() + delay);
    this.#options.arm(this.#checkAt!);
  }

  /** Reported with the next activity where nothing is stored: a refusal must not be what begins an object. */
  refused(code: string): void {
    countRefusal(this.counters, code);
    if (!this.#options.storage.isEmpty) this.note();
  }

  /** A call was answered, so many milliseconds after it came. */
  answered(ms: number): void {
    this.counters.calls.observe(ms);
  }

  #checkAgain(at: number | undefined): void {
    this.#checkAt = at;
    this.isDue = at !== undefined || this.#options.isReported === false;
  }

  /** When the last report was sent, 0 without one; undefined while a check is due. */
  get restsSince(): number | undefined {
    if (this.#checkAt !== undefined) return undefined;
    return Math.max(this.#reportedAt ?? 0, this.#last?.at ?? 0);
  }

  /** A report is on its way: the index would list the object again, and the report is kept here when it is there. */
  get isSending(): boolean {
    return this.#sending > 0;
  }

  /** Removes the object from the index, before its storage is deleted. May be repeated. */
  async end(): Promise<void> {
    const { occupancy, report, wake } = this.#options;
    const counted = this.#reportedCounters;
    if (this.#last) await report({ ...occupancy(), wake, counted, before: counted, ended: true });
  }

  /** The storage was deleted, and with it the last report. */
  forget(): void {
    this.#last = this.#count = undefined;
  }

  due(): number | undefined {
    return this.#checkAt;
  }

  run(now: number): void {
    if (this.#checkAt === undefined ? this.#isNews(now) : this.#checkAt <= now) this.#check(now);
  }

  /** Whether a sleep or a crash kept a change from being reported. */
  #isNews(now: number): boolean {
    const last = this.#last;
    const { sockets, connections, users } = this.#options.occupancy();
    if (!last) return connections > 0 || sockets > 0;
    const isUnchanged =
      last.sockets === sockets && last.connections === connections && last.users === users;
    return !isUnchanged || (sockets > 0 && now - last.at >= HEARTBEAT_MS);
  }

  #check(now: number): void {
    const messages = this.counters.in + this.counters.out;
    const isResting = messages === this.#messagesAtLastCheck;
    this.#messagesAtLastCheck = messages;
    this.#checkAgain(undefined);
    const isFirst = this.#reportedAt === undefined;
    if (isResting || isFirst || now - this.#reportedAt! >= EVERY_MS) this.#report(now);
    else this.#checkAgain(now + CHECK_MS);
  }

  /** Not awaited: an index that does not answer must not hold up the other duties of the alarm. */
  #report(now: number): void {
    const { occupancy, snapshot, wake, waitUntil } = this.#options;
    this.#reportedAt = now;
    const counts = { counted: snapshot(), before: this.#reportedCounters };
    const report = { ...occupancy(), wake, ...counts, stored: this.#stored(now) };
    waitUntil(this.#send(report, now));
  }

  /** Rows may be as old as `COUNT_MS_PER_ROW` says. */
  #stored(now: number): Stored {
    const { stateBytes, storage } = this.#options;
    const { bytes } = storage;
    if (!this.#count || isOutdated(this.#count, bytes, now))
      this.#count = { rows: storage.countRows(), bytes, countedAt: now };
    const state = stateBytes?.();
    return { bytes, rows: this.#count.rows, ...(state !== undefined && { state }) };
  }

  async #send(report: Report, at: number): Promise<void> {
    const { sockets, connections, users, counted } = report;
    this.#sending++;
    try {
      await this.#options.report(report);
      this.#last = { at, sockets, connections, users, ...(this.#count && { count: this.#count }) };
      this.#options.storage.kv.put("told", this.#last);
      this.#options.reported(report, difference(counted, this.#reportedCounters));
      this.#reportedCounters = counted;
    } catch (error) {
      logWarning("report_failed", { error });
      this.#checkAgain(this.#checkAt ?? at + EVERY_MS);
      this.#options.arm(this.#checkAt!);
    } finally {
      this.#sending--;
    }
  }
}

const isOutdated = ({ rows, bytes, countedAt }: RowCount, bytesNow: number, now: number): boolean =>
  now - countedAt >= rows * COUNT_MS_PER_ROW || Math.abs(bytesNow - bytes) > bytes * CHANGED_PART;
