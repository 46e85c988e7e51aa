// When the accounts in one object are due: a key for each user who waits for something, and the object's alarm for the
// first of them.

import { isAlarmLost } from "../platform/alarm-agenda.ts";
import type { KeyValues } from "../../model/stored-values.ts";

/** Keys of pending alarms, by user. */
const DUE_PREFIX = "due/";

export class DueUsers {
  readonly #storage: Pick<DurableObjectStorage, "getAlarm" | "setAlarm">;
  readonly #kv: () => KeyValues;
  /** The time of the object's alarm; undefined until this wake has set it. */
  #alarmAt: number | undefined;
  #hasRung = false;

  /** `kv` throws if the storage cannot be read. */
  constructor(storage: Pick<DurableObjectStorage, "getAlarm" | "setAlarm">, kv: () => KeyValues) {
    this.#storage = storage;
    this.#kv = kv;
  }

  /**
   * Called at a wake: sets the alarm again if it was lost (docs/design/production.md#pl38). Rejects if the storage cannot
   * be read.
   */
  async recover(): Promise<void> {
    const isLost = isAlarmLost(await this.#storage.getAlarm());
    if (isLost && !this.#hasRung && this.#alarmAt === undefined) await this.setAlarm();
  }

  /** Called when the alarm has rung. Returns users who are due, `most` at most. */
  ring(now: number, most: number): string[] {
    [this.#hasRung, this.#alarmAt] = [true, undefined];
    const due = this.#all.filter(([, at]) => at <= now).slice(0, most);
    return due.map(([user]) => user);
  }

  /** Sets the user's time, in place of an earlier one. */
  arm(user: string, at: number): void {
    this.#kv().put(DUE_PREFIX + user, at);
    if (at >= (this.#alarmAt ?? Infinity)) return;
    // The next user tries again.
    this.#set(Math.min(at, this.#alarmAt ?? this.#first)).catch(() => {});
  }

  has(user: string): boolean {
    return this.#kv().get(DUE_PREFIX + user) !== undefined;
  }

  remove(user: string): void {
    this.#kv().delete(DUE_PREFIX + user);
  }

  /** Sets the alarm for the first user. False if nobody is due at any time. */
  async setAlarm(): Promise<boolean> {
    const first = this.#first;
    if (first === Infinity) return false;
    await this.#set(first);
    return true;
  }

  /** After a failure no time counts as set. */
  async #set(at: number): Promise<void> {
    this.#alarmAt = at;
    try {
      await this.#storage.setAlarm(at);
    } catch (error) {
      if (this.#alarmAt === at) this.#alarmAt = undefined;
      throw error;
    }
  }

  /** Called when the storage was deleted. */
  forget(): void {
    this.#alarmAt = undefined;
  }

  get #first(): number {
    return this.#all.reduce((first, [, at]) => Math.min(first, at), Infinity);
  }

  get #all(): [user: string, at: number][] {
    const all = [...this.#kv().list<number>({ prefix: DUE_PREFIX })];
    return all.map(([key, at]) => [key.slice(DUE_PREFIX.length), at]);
  }
}
