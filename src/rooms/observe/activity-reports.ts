// When an object reports its activity to its hub's index: 2 s after its users have changed, and each minute while it is
// active. Idle objects report nothing.
//
// An object that sleeps loses its counters. Between two reports they are kept beside a socket after each activity,
// which costs no row (last-report.ts). Where no socket has room for them, or activity is frequent (`KEEPS`), an alarm
// each 8 s keeps the object awake instead, and sends a last report before it sleeps.
//
// A single activity of a wake causes no report: its counts go with that of a later wake or alarm, half an hour after the
// last.

import type { Duty } from "../platform/alarm-agenda.ts";
import { TokenBucket } from "../platform/rates.ts";
import type { KeptCounts } from "../rpc/activity-report.ts";
import { countRefusal, type Counters } from "./counters.ts";
import { LastReport, type CountsKeeper } from "./last-report.ts";
import { EVERY_MS, logFailure, ReportDelivery } from "./report-delivery.ts";
import type { ReportDeliveryOptions } from "./report-delivery.ts";
import { WakeCounts } from "./wake-counts.ts";

interface ActivityReportsOptions extends Omit<ReportDeliveryOptions, "last" | "counts" | "failed"> {
  /** Where counts are kept without a row, if there is such a place. */
  readonly keeper?: CountsKeeper;
  readonly counters: Counters;
  /** Id of this wake of the object. */
  readonly wake: string;
  /** False: nothing is ever reported, since the hub is no longer served. Default: true. */
  readonly isReported?: boolean;
  /** Grows with every publication here, from any sender. */
  published?: (() => number) | undefined;
  arm(at: number): void;
  now(): number;
  /** Done when what the object is doing now is over, and counted. False where something takes longer than moments. */
  settled(): Promise<boolean>;
}

/** After the first activity of a wake: lists are fresh, and a burst is one report. */
const SOON_MS = 2_000;
/** Between two checks for further activity: less than the ten seconds after which an idle object sleeps. */
const CHECK_MS = 8_000;
/** A check that is due as soon goes with the alarm of another duty; after a failure none does. */
const NEARLY_DUE_MS = 3_000;
/** Since the last report: until then the counts of single activities are kept. */
const SPARSE_MS = 1_800_000;
/** An object that only has connections reports now and then, when a sweep wakes it: the index forgets in a day. */
const HEARTBEAT_MS = 6 * 3_600_000;
/**
 * How often counts are kept beside a socket. Each time costs about as much CPU as a message: an object whose clients
 * send a message a second needs one or two a second, and busier ones set alarms.
 */
const KEEPS = { perSecond: 8 / 3, burst: 16 };
/** After a busy time: a message over a relay is two activities. */
const KEEPS_AFTER_BUSY = 2;
/** A row, where no socket has room for the counts, costs as much as so many times beside one. */
const KEEPS_FOR_A_ROW = 4;
/** Without room even for that, a socket is tried again in a minute. */
const KEEPS_WITHOUT_ROOM = -60 * KEEPS.perSecond;

export class ActivityReports implements Duty {
  readonly #options: ActivityReportsOptions;
  readonly counters: Counters;
  /** True while a check is due soon, or nothing is ever reported: then activity need not be noted. */
  isDue: boolean;
  /** Its row also has the room's checkpoint (room/checkpoint.ts). */
  readonly last: LastReport;
  readonly #counts: WakeCounts;
  readonly #delivery: ReportDelivery;
  /** When the next check is due; undefined while there is no activity. */
  #checkAt: number | undefined;
  /** Messages and publications at the last check. */
  #messagesAtLastCheck = 0;
  readonly #keeps = new TokenBucket(KEEPS.perSecond, KEEPS.burst);
  /** Counts are about to be kept. */
  #isKeeping = false;

  constructor(options: ActivityReportsOptions) {
    this.#options = options;
    this.counters = options.counters;
    this.isDue = options.isReported === false;
    this.last = new LastReport(options.storage.kv, options.keeper);
    this.#counts = new WakeCounts(options);
    this.#counts.resume(this.last.saved);
    if (!this.isDue) this.#checkAt = this.last.dueAt;
    const [last, counts] = [this.last, this.#counts];
    const failed = () => this.#keepForRetry();
    this.#delivery = new ReportDelivery({ ...options, last, counts, failed });
  }

  /** Counts that were kept beside a socket, which closed while the object slept. */
  addEarlier(counts: KeptCounts | undefined): void {
    this.#counts.resume(this.last.since(counts)?.counts);
  }

  /** Something happens, or is only counted (`isCount`). May be repeated; callers on hot paths ask `isDue` first. */
  note(isCount = false): void {
    if (this.isDue) return;
    const isFirst = !this.#counts.isActive;
    this.#counts.isActive = true;
    const isSparse = isFirst || isCount;
    if (this.#mayKeep(isFirst, isSparse)) this.#keepLater(isSparse);
    else this.#checkIn(isFirst ? SOON_MS : CHECK_MS);
  }

  /**
   * A connection has entered, and may take long to open. Notes it only if the index has other users: counts could not
   * be kept beside its socket yet, and are noted again once it is open.
   */
  entered(): void {
    if (!this.last.has(this.#options.occupancy())) this.note();
  }

  /** Later alarms report counts that are kept: of the sweep, or of the next attempt to send webhook events. */
  #mayKeep(isFirst: boolean, isSparse: boolean): boolean {
    const { keeper, now, occupancy } = this.#options;
    const here = occupancy();
    const hasAlarm = here.connections > 0 || here.waiting !== undefined;
    if (!hasAlarm || now() < this.#delivery.retryAt || !this.last.has(here)) return false;
    return isFirst || ((isSparse || keeper !== undefined) && this.#keeps.has(now()));
  }

  #keepLater(isSparse: boolean): void {
    this.#isKeeping = this.isDue = true;
    this.#options.waitUntil(this.#keepOnceSettled(isSparse));
  }

  /** Operations still under way would be counted after their counts were kept. */
  async #keepOnceSettled(isSparse: boolean): Promise<void> {
    try {
      const isSettled = await this.#options.settled();
      this.isDue = false;
      if (isSettled && !this.#delivery.isSending) this.#keep(isSparse, this.#options.now());
      else this.#checkIn(isSparse ? SOON_MS : CHECK_MS);
    } catch (error) {
      logFailure(error);
      this.#checkIn(EVERY_MS);
    }
    this.#isKeeping = false;
  }

  #keep(isSparse: boolean, now: number): void {
    if (!this.last.has(this.#options.occupancy())) this.#checkIn(SOON_MS);
    else if (!isSparse || this.#checkAt !== undefined) this.#keepUntilCheck(now);
    else if (now - this.last.at! >= SPARSE_MS) this.#delivery.start(now);
    else if (!this.last.save(this.#counts.now)) this.#keeps.spend(KEEPS_FOR_A_ROW);
  }

  #keepUntilCheck(now: number): void {
    const dueAt = this.#checkAt ?? Math.max(now + CHECK_MS, this.last.at! + EVERY_MS);
    if (!this.last.attach(this.#counts.now, dueAt)) {
      this.#keeps.lower(now, KEEPS_WITHOUT_ROOM);
      return this.#checkIn(CHECK_MS);
    }
    this.#keeps.spend(1);
    if (this.#checkAt === undefined) this.#options.arm(dueAt);
    this.#checkAt = dueAt;
  }

  #checkIn(ms: number): void {
    this.#checkAgain(Math.min(this.#options.now() + ms, this.#checkAt ?? Infinity));
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
    return Math.max(this.#delivery.startedAt ?? 0, this.last.at ?? 0);
  }

  /** Resolves when the index has answered the report that is on its way, if there is one. Never rejects. */
  get sent(): Promise<unknown> {
    return this.#delivery.sent;
  }

  /** A report is on its way: the index would list the object again, and the report is kept here when it is there. */
  get isSending(): boolean {
    return this.#delivery.isSending || this.#isKeeping;
  }

  /** Removes the object from the index, before its storage is deleted. May be repeated. */
  async end(): Promise<void> {
    await this.#delivery.end();
  }

  /** The storage was deleted, and with it the last report. */
  forget(): void {
    this.last.forget();
    this.#delivery.forget();
  }

  due(): number | undefined {
    return this.#checkAt;
  }

  run(now: number): void {
    const nearly = now < this.#delivery.retryAt ? 0 : NEARLY_DUE_MS;
    const isDue = (this.#checkAt ?? Infinity) <= now + nearly;
    if (isDue || (this.#checkAt === undefined && this.#isNews(now))) this.#check(now);
  }

  /** Whether a sleep or a crash kept a change from being reported. */
  #isNews(now: number): boolean {
    const here = this.#options.occupancy();
    const { at, saved } = this.last;
    if (at === undefined) return here.connections > 0 || here.sockets > 0;
    const age = now - at;
    const isDue = (saved && age >= SPARSE_MS) || (here.sockets > 0 && age >= HEARTBEAT_MS);
    return isDue || !this.last.has(here);
  }

  #check(now: number): void {
    const messages = this.counters.in + this.counters.out + (this.#options.published?.() ?? 0);
    const isResting = messages === this.#messagesAtLastCheck;
    this.#messagesAtLastCheck = messages;
    if (this.isDue) this.#keeps.lower(now, KEEPS_AFTER_BUSY);
    this.#checkAgain(undefined);
    const { retryAt, startedAt } = this.#delivery;
    if (now < retryAt) return this.#keepForRetry();
    const isDue = startedAt === undefined || now - startedAt >= EVERY_MS - NEARLY_DUE_MS;
    if (isResting || isDue) this.#delivery.start(now);
    else if (this.#mayKeep(false, false)) this.#keepLater(false);
    else this.#checkAgain(now + CHECK_MS);
  }

  /** Saves the counts, for the object may sleep before the next attempt. Activity meanwhile is noted, and saved. */
  #keepForRetry(): void {
    const { retryAt } = this.#delivery;
    this.#checkAgain(retryAt);
    this.isDue = false;
    this.#options.arm(retryAt);
    this.last.keep(this.#counts.now);
  }
}
