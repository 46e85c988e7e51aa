// One alarm for many duties. Timers would keep an object awake; an alarm wakes it when, and only when, it is due.

import { logError } from "../../model/logger.ts";

/** Something to be done at times. */
export interface Duty {
  /** When it is next due, milliseconds since 1970; undefined: not at all. */
  due(now: number): number | undefined;
  /** Does what is due. Called on every alarm, so it looks for itself. */
  run(now: number): void | Promise<void>;
}

export type AlarmStorage = Pick<DurableObjectStorage, "setAlarm" | "getAlarm">;

export class AlarmAgenda {
  readonly #storage: AlarmStorage;
  readonly #duties: readonly Duty[];
  /** When the alarm is set for; after a wake nobody knows until the storage was asked. */
  #armed: number | null | undefined;
  /** The earliest that was wanted while nobody knew. */
  #wanted: number | undefined;

  constructor(storage: AlarmStorage, duties: readonly Duty[]) {
    this.#storage = storage;
    this.#duties = duties;
  }

  /** Something is due at `at`. Costs a row only where nothing is set for earlier. */
  arm(at: number): void {
    if (this.#armed === undefined) this.#ask(at);
    else if (this.#armed === null || at < this.#armed) this.#set(at);
  }

  #ask(at: number): void {
    const asked = this.#wanted !== undefined;
    this.#wanted = Math.min(at, this.#wanted ?? at);
    if (!asked) void this.#storage.getAlarm().then((armed) => this.#know(armed), this.#unknown);
  }

  /** A storage that does not answer is asked to set the alarm all the same: too early is better than never. */
  readonly #unknown = (error: unknown): void => {
    logError("alarm_unread", { error });
    this.#know(null);
  };

  #know(armed: number | null): void {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (this.#armed === undefined) this.#armed = armed;
    if (wanted !== undefined) this.arm(wanted);
  }

  /** The alarm rang: one duty that fails does not keep the others from running. */
  async ring(now: number): Promise<void> {
    this.#armed = null;
    for (const duty of this.#duties) {
      try {
        await duty.run(now);
      } catch (error) {
        logError("duty_failed", { error });
      }
    }
    const times = this.#duties.flatMap((duty) => duty.due(now) ?? []);
    if (times.length > 0) this.arm(Math.min(...times));
  }

  #set(at: number): void {
    this.#armed = at;
    this.#storage.setAlarm(at).catch((error: unknown) => {
      logError("alarm_unset", { error });
      if (this.#armed === at) this.#armed = null;
    });
  }
}
