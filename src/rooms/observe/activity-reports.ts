// When an object reports its activity to its hub's index: 2 s after the first activity of a wake, each minute while it
// goes on, and once more at rest, before the object sleeps and loses its counters. Idle objects report nothing.
//
// Where a wake has nothing new but counts, as of one message in a room that sleeps between messages, they are kept
// (last-report.ts), and go with the next report: that of a later wake or alarm, a quarter of an hour after the last.
//
// A report is sent at least once: one that fails is sent again in a minute, with newer counters. The object may sleep
// by then, so they are saved, within 8 s of what they count. Counters are absolute within a wake, so the index counts a
// repeated report once. A crash loses what was counted since the last report.

import { logWarning } from "../../model/logger.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { ObjectStorage } from "../platform/object-storage.ts";
import { countRefusal, type Counters } from "./counters.ts";
import { LastReport, type CountsKeeper } from "./last-report.ts";
import { RowCounter } from "./row-count.ts";
import { WakeCounts } from "./wake-counts.ts";
import type {
  CounterSnapshot,
  KeptCounts,
  Occupancy,
  Report,
  Stored,
} from "../rpc/activity-report.ts";

interface ActivityReportsOptions {
  readonly storage: Pick<ObjectStorage, "kv" | "isEmpty" | "bytes" | "countRows">;
  /** Where counts are kept without a row, if there is such a place. */
  readonly keeper?: CountsKeeper;
  readonly counters: Counters;
  readonly wake: string;
  /** False: nothing is ever reported, since the hub is no longer served. Default: true. */
  readonly isReported?: boolean;
  snapshot(): CounterSnapshot;
  occupancy(): Occupancy;
  /** Of the room's state, where it has one. */
  stateBytes?: (() => number | undefined) | undefined;
  /** Grows with every publication here, from any sender. */
  published?: (() => number) | undefined;
  report(report: Report): Promise<void>;
  /** The index has the report; `increase` is what was counted since the one before. */
  reported(report: Report, increase: CounterSnapshot): void;
  arm(at: number): void;
  now(): number;
  /** Done when what the object is doing now is over, and counted. False where something takes longer than moments. */
  settled(): Promise<boolean>;
  waitUntil(work: Promise<unknown>): void;
}

/** After the first activity of a wake: a burst is one report. */
const SOON_MS = 2_000;
/** Between two checks for further activity: less than the ten seconds after which an idle object sleeps. */
const CHECK_MS = 8_000;
/** A check that is due as soon goes with the alarm of another duty; after a failure none does. */
const NEARLY_DUE_MS = 3_000;
const EVERY_MS = 60_000;
/** Since the last report: until then single counts are saved. */
const SPARSE_MS = 900_000;
/** An object that only has connections reports now and then, when a sweep wakes it: the index forgets in a day. */
const HEARTBEAT_MS = 6 * 3_600_000;

export class ActivityReports implements Duty {
  readonly #options: ActivityReportsOptions;
  readonly counters: Counters;
  /** True while a check is due already, or nothing is ever reported: then activity need not be noted. */
  isDue: boolean;
  readonly #last: LastReport;
  readonly #rows: RowCounter;
  /** When the next check is due; undefined while there is no activity. */
  #checkAt: number | undefined;
  /** When this wake reported last. */
  #reportedAt: number | undefined;
  /** A report has failed: the next one is not sent before. */
  #retryAt = 0;
  /** Messages and publications at the last check. */
  #messagesAtLastCheck = 0;
  /** Reports and saves on their way. */
  #sending = 0;
  readonly #counts: WakeCounts;

  constructor(options: ActivityReportsOptions) {
    this.#options = options;
    this.counters = options.counters;
    this.isDue = options.isReported === false;
    this.#last = new LastReport(options.storage.kv, options.keeper);
    this.#rows = new RowCounter(options.storage, this.#last.count);
    this.#counts = new WakeCounts(options);
    this.#counts.resume(this.#last.saved);
  }

  /** Counts that were kept beside a socket, which closed while the object slept. */
  addEarlier(counts: KeptCounts | undefined): void {
    this.#counts.resume(this.#last.since(counts));
  }

  /** Something happens, or is only counted (`isCount`). May be repeated; callers on hot paths ask `isDue` first. */
  note(isCount = false): void {
    if (this.isDue) return;
    const isFirst = !this.#counts.isActive;
    this.#counts.isActive = true;
    const { connections, waiting } = this.#options.occupancy();
    const hasAlarm = connections > 0 || waiting !== undefined;
    if (hasAlarm && (isFirst || isCount) && this.#isKnown) this.#saveLater();
    else this.#checkIn(isFirst ? SOON_MS : CHECK_MS);
  }

  /** The index has the users that the object has now. */
  get #isKnown(): boolean {
    return this.#last.has(this.#options.occupancy());
  }

  #saveLater(): void {
    this.isDue = true;
    this.#options.waitUntil(this.#saveOnceSettled());
  }

  /** Operations still under way would be counted after the save. */
  async #saveOnceSettled(): Promise<void> {
    const isReporting = this.#sending++ > 0;
    try {
      const isSettled = await this.#options.settled();
      this.#checkAgain(undefined);
      if (isSettled && !isReporting) this.#save(this.#options.now());
      else this.#checkIn(SOON_MS);
    } catch (error) {
      logFailure(error);
      this.#checkIn(EVERY_MS);
    }
    this.#sending--;
  }

  #save(now: number): void {
    if (!this.#isKnown) return this.#checkIn(SOON_MS);
    if (now - this.#last.at! >= SPARSE_MS) return this.#report(now);
    this.#last.save(this.#counts.now);
  }

  #checkIn(ms: number): void {
    this.#checkAgain(this.#options.now() + ms);
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
    return Math.max(this.#reportedAt ?? 0, this.#last.at ?? 0);
  }

  /** A report is on its way: the index would list the object again, and the report is kept here when it is there. */
  get isSending(): boolean {
    return this.#sending > 0;
  }

  /** Removes the object from the index, before its storage is deleted. May be repeated. */
  async end(): Promise<void> {
    const { occupancy, report } = this.#options;
    if (this.#last.at === undefined) return;
    await report({ ...occupancy(), ...this.#counts.final, ended: true });
  }

  /** The storage was deleted, and with it the last report. */
  forget(): void {
    this.#last.forget();
    this.#rows.last = undefined;
  }

  due(): number | undefined {
    return this.#checkAt;
  }

  run(now: number): void {
    const isDue = (this.#checkAt ?? Infinity) <= now + (now < this.#retryAt ? 0 : NEARLY_DUE_MS);
    if (isDue || (this.#checkAt === undefined && this.#isNews(now))) this.#check(now);
  }

  /** Whether a sleep or a crash kept a change from being reported. */
  #isNews(now: number): boolean {
    const { sockets, connections } = this.#options.occupancy();
    const { at, saved } = this.#last;
    if (at === undefined) return connections > 0 || sockets > 0;
    const age = now - at;
    const isDue = (saved && age >= SPARSE_MS) || (sockets > 0 && age >= HEARTBEAT_MS);
    return isDue || !this.#isKnown;
  }

  #check(now: number): void {
    const messages = this.counters.in + this.counters.out + (this.#options.published?.() ?? 0);
    const isResting = messages === this.#messagesAtLastCheck;
    this.#messagesAtLastCheck = messages;
    this.#checkAgain(undefined);
    if (now < this.#retryAt) return this.#keepForRetry();
    const isFirst = this.#reportedAt === undefined;
    if (isResting || isFirst || now - this.#reportedAt! >= EVERY_MS) this.#report(now);
    else this.#checkAgain(now + CHECK_MS);
  }

  /** Not awaited: an index that does not answer must not hold up the other duties of the alarm. */
  #report(now: number): void {
    const { occupancy, waitUntil } = this.#options;
    this.#reportedAt = now;
    const report = { ...occupancy(), ...this.#counts.take(), stored: this.#stored(now) };
    waitUntil(this.#send(report, now).catch(logFailure));
  }

  #stored(now: number): Stored {
    const state = this.#options.stateBytes?.();
    return { ...this.#rows.stored(now), ...(state !== undefined && { state }) };
  }

  async #send(report: Report, at: number): Promise<void> {
    this.#sending++;
    try {
      await this.#options.report(report);
      this.#last.sent(report, at, this.#rows.last);
      this.#options.reported(report, this.#counts.confirm(report.counted));
    } catch (error) {
      logFailure(error);
      this.#retryAt = at + EVERY_MS;
      this.#keepForRetry();
    } finally {
      this.#sending--;
    }
  }

  /** Saves the counts, for the object may sleep before the next attempt. Activity meanwhile is noted, and saved. */
  #keepForRetry(): void {
    this.#checkAgain(this.#retryAt);
    this.isDue = false;
    this.#options.arm(this.#retryAt);
    this.#last.keep(this.#counts.now);
  }
}

const logFailure = (error: unknown): void => logWarning("report_failed", { error });
