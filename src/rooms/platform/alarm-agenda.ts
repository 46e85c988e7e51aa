// One alarm for many duties, because an object has a single alarm. A timer would keep the object awake; an alarm wakes
// it only when something is due.
//
//   · The alarm comes at the earliest time that was armed, or that a duty returns after a run, but not within `GAP_MS`
//     after the last alarm, so that many deadlines close to each other need few alarms. It may come earlier, and then
//     nothing is due.
//   · It survives sleep, crashes and deploys. The platform repeats an alarm whose handler throws or crashes, so a duty
//     may run twice. A duty that throws is logged, and runs again when its `due` says so.
//   · The platform gives up an alarm that fails for two minutes. Before that it is replaced by a later one; and where
//     that was not possible, the next wake sets it again (`recover`).

import { logError } from "../../model/logger.ts";
import { LOOK_AGAIN_MS } from "./storage-version.ts";

/** Work that is due at times. */
export interface Duty {
  /**
   * When it is next due, milliseconds since 1970; undefined: not at all. Called after every alarm, and `atWake` if the
   * alarm was lost: then nothing large may be read for it.
   */
  due(now: number, atWake?: boolean): number | undefined;
  /** Does the work that is due at `now`. Called at every alarm, also if another duty has armed it. */
  run(now: number): void | Promise<void>;
}

/** Later times are set to this one, because the platform refuses times beyond 2189. */
const LATEST = Date.UTC(2100, 0);

/** The shortest time between two alarms. Each calls every duty, and most duties check every connection. */
const GAP_MS = 100;

/** An alarm that is overdue by more was given up, although its time may still be read (docs/design/production.md#pl38). */
const LOST_MS = 5 * 60_000;

/** The platform makes seven attempts; from this one on (the first is 0) another alarm replaces those that follow. */
export const REPLACING_ATTEMPT = 4;

type AlarmStorage = Pick<DurableObjectStorage, "setAlarm" | "getAlarm" | "sync">;

/** Whether no alarm is set, by its time as read from the storage: an alarm that was given up is none. */
export const isAlarmLost = (alarmAt: number | null): boolean =>
  alarmAt === null || alarmAt < Date.now() - LOST_MS;

export class AlarmAgenda {
  readonly #storage: AlarmStorage;
  readonly #makeDuties: () => readonly Duty[];
  #duties: readonly Duty[] | undefined;
  /** The time of the alarm; null: not set; undefined after a wake, until it was read from the storage. */
  #alarmAt: number | null | undefined;
  /** Time of the last alarm, milliseconds since 1970. */
  #rangAt = 1 - GAP_MS;
  /** The earliest time that was armed while the alarm was being read. */
  #requestedAt: number | undefined;
  #isRecovering = false;

  /** `duties` is called once, at the first alarm: an object that wakes for a client needs none of them yet. */
  constructor(storage: AlarmStorage, duties: () => readonly Duty[]) {
    this.#storage = storage;
    this.#makeDuties = duties;
  }

  /** Requests an alarm at `at` or earlier. Costs a row only if none is set for an earlier time. */
  arm(at: number): void {
    if (this.#alarmAt === undefined) this.#readAlarm(at);
    else if (this.#alarmAt === null || at < this.#alarmAt) this.#setAlarm(this.#possible(at));
  }

  /** Reads the time of the alarm, so that a later `arm` sets it in its own turn, together with the caller's rows. */
  know(): void {
    if (this.#alarmAt === undefined) this.#readAlarm(Infinity);
  }

  /** Called at a wake of an object that has stored something: if its alarm was lost, sets it for the first duty. */
  recover(): void {
    this.#isRecovering = true;
    this.know();
  }

  #readAlarm(at: number): void {
    const isReading = this.#requestedAt !== undefined;
    this.#requestedAt = Math.min(at, this.#requestedAt ?? at);
    if (isReading) return;
    const read = this.#storage.getAlarm().then((alarmAt) => this.#alarmRead(alarmAt));
    void read.catch(this.#readFailed);
  }

  /** The alarm is set nevertheless, and may replace an existing one: duties then run too early rather than never. */
  readonly #readFailed = (error: unknown): void => {
    logError("alarm_unread", { error });
    this.#alarmRead(null);
  };

  #alarmRead(alarmAt: number | null): void {
    const requestedAt = this.#requestedAt;
    this.#requestedAt = undefined;
    const isLost = this.#alarmAt === undefined && isAlarmLost(alarmAt);
    if (this.#alarmAt === undefined) this.#alarmAt = isLost ? null : alarmAt;
    if (requestedAt !== undefined && requestedAt !== Infinity) this.arm(requestedAt);
    if (isLost && this.#isRecovering) this.#armDue(Date.now(), true);
  }

  /**
   * The alarm's handler: runs every duty, one after another, and sets the next alarm. A failed duty stops no other.
   * `attempt`: the number of failures before, most often of a handler that exceeded a limit of the platform.
   */
  async ring(now: number, attempt = 0): Promise<void> {
    this.#alarmAt = null;
    this.#rangAt = now;
    if (attempt >= REPLACING_ATTEMPT) {
      this.arm(now + LOOK_AGAIN_MS);
      await this.#storage.sync();
    }
    for (const duty of this.#allDuties) {
      try {
        await duty.run(now);
      } catch (error) {
        logError("duty_failed", { error });
      }
    }
    this.#armDue(now);
  }

  get #allDuties(): readonly Duty[] {
    return (this.#duties ??= this.#makeDuties());
  }

  #armDue(now: number, atWake = false): void {
    const times = this.#allDuties.flatMap((duty) => duty.due(now, atWake) ?? []);
    if (times.length > 0) this.arm(Math.min(...times));
  }

  /** Called when the alarm was deleted with the storage. */
  forget(): void {
    this.#alarmAt = null;
  }

  /** The time of an alarm for `at`: not too soon after the last alarm, and accepted by the platform. */
  #possible(at: number): number {
    // A clock that was set back must not delay the alarm.
    const rangAt = Math.min(this.#rangAt, Date.now());
    return Math.min(Math.max(at, rangAt + GAP_MS), LATEST);
  }

  /** Sets the alarm, unless it has this time already. After a failure the next `arm` tries again. */
  #setAlarm(at: number): void {
    if (this.#alarmAt === at) return;
    this.#alarmAt = at;
    this.#storage.setAlarm(at).catch((error: unknown) => {
      logError("alarm_unset", { error });
      if (this.#alarmAt === at) this.#alarmAt = null;
    });
  }
}
