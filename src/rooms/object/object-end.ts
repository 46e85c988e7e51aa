// The end of a room or relay. One that nobody uses and that has nothing to keep leaves the hub's index and deletes its
// storage, by alarm, some minutes after its last report. Later requests find an empty object, as if it were the
// first: a room begins a new epoch then, and clients with positions of the old one reload.
//
// Nothing is lost: the last check, the deletion, and the reset of what is in memory are one turn. A request before them
// keeps the object, and one after them begins it again.

import type { Outbox } from "../delivery/outbox.ts";
import type { ActivityReports } from "../observe/activity-reports.ts";
import type { AlarmAgenda, Duty } from "../platform/alarm-agenda.ts";
import type { ObjectStorage } from "../platform/object-storage.ts";

interface ObjectEndOptions {
  readonly storage: ObjectStorage;
  readonly agenda: AlarmAgenda;
  readonly activity: ActivityReports;
  readonly outbox: Outbox;
  /**
   * Whether there is anything to keep. A part that keeps the object must set an alarm, or call `arm`, when that ends:
   * only then the question is asked again. At a wake what is asleep, and may be something to keep, counts as such.
   */
  keeps(now: number, atWake: boolean): boolean;
  /** What keeps the object for a time only: it needs no alarm of its own. */
  keptUntil?(): number;
  /** Other objects forget this one. May be repeated; where it throws, the end is tried again. */
  leave?(): Promise<void>;
  /** The storage was deleted: forgets what is in memory of it. Writes nothing. */
  forget(): void;
}

/** From the last report on: a room that is used again within minutes keeps its tables. */
const REST_MS = 10 * 60_000;
/** After a failure. */
const RETRY_MS = 60_000;

export class ObjectEnd implements Duty {
  readonly #options: ObjectEndOptions;

  constructor(options: ObjectEndOptions) {
    this.#options = options;
    // The object may begin when no alarm is set, for example by the answer to a report.
    const { agenda, storage } = options;
    storage.atFirstWrite(() => agenda.arm(Date.now() + REST_MS));
  }

  /** Undefined while there is something to keep. */
  #endAt(now: number, atWake = false): number | undefined {
    const { storage, activity, keeps, keptUntil } = this.#options;
    if (storage.isEmpty || activity.restsSince === undefined || keeps(now, atWake))
      return undefined;
    return Math.max(activity.restsSince + REST_MS, keptUntil?.() ?? 0);
  }

  #isDue(now: number): boolean {
    return !this.#options.activity.isSending && (this.#endAt(now) ?? Infinity) <= now;
  }

  /** Something that kept the object has ended, or it is not known after a wake. */
  arm(now: number, atWake = false): void {
    const at = this.#endAt(now, atWake);
    if (at !== undefined) this.#options.agenda.arm(Math.max(at, now));
  }

  due(now: number): number | undefined {
    const at = this.#endAt(now);
    return at === undefined || at > now ? at : now + RETRY_MS;
  }

  async run(now: number): Promise<void> {
    const { activity, agenda, leave, outbox, storage, forget } = this.#options;
    if (!this.#isDue(now)) return;
    await leave?.();
    await activity.end();
    outbox.flush(); // Publications that wait for their number to be saved.
    if (!this.#isDue(now)) return;
    const deleted = storage.deleteAll();
    agenda.forget();
    forget();
    await deleted;
  }
}
