// The end of a room or relay. An object that nobody uses and that has nothing to keep leaves the hub's index and
// deletes its storage, by alarm, some minutes after its last report. Later requests find an empty object, like a new
// one: a room begins a new epoch then, and clients with positions of the old one reload.
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
   * only then it is checked again. `atWake`: a part that has not been read yet, such as a state, counts as kept.
   */
  keeps(now: number, atWake: boolean): boolean;
  /** Until when the object is kept for a limited time; that needs no alarm of its own. */
  keptUntil?(): number;
  /** Makes other objects forget this one. May be repeated; if it throws, the end is tried again. */
  leave?(): Promise<void>;
  /** Called after the storage was deleted: forgets its data in memory. Writes nothing. */
  forget(): void;
}

/** Time from the last report to the end, so that a room that is used again within minutes keeps its tables. */
const REST_MS = 10 * 60_000;
/** Pause after a failure. */
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

  /** Called when something that kept the object has ended, and at a wake. */
  arm(now: number, atWake = false): void {
    const at = this.#endAt(now, atWake);
    if (at !== undefined) this.#options.agenda.arm(Math.max(at, now));
  }

  due(now: number, atWake = false): number | undefined {
    const at = this.#endAt(now, atWake);
    return at === undefined || at > now ? at : now + RETRY_MS;
  }

  async run(now: number): Promise<void> {
    const { activity, agenda, leave, outbox, storage, forget } = this.#options;
    if (!this.#isDue(now)) return;
    await leave?.();
    await activity.end();
    outbox.flush(); // Saves publications that are numbered and not saved yet.
    if (!this.#isDue(now)) return;
    const deleted = storage.deleteAll();
    agenda.forget();
    forget();
    await deleted;
  }
}
