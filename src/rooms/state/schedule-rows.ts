// Scheduled actions of a room, by id. Changes are in memory first, and are written in the commit of the action that
// made them. All of them are read with the state: a room has a hundred at most. They are frozen, because actions can
// read them.

import { HubError } from "../../model/errors.ts";
import { freezeDeep } from "../../model/plain-json.ts";
import type { PartStorage } from "../../model/stored-values.ts";
import type { Scheduled } from "../rpc/state-rpc.ts";

const TABLE = `CREATE TABLE IF NOT EXISTS room_schedule (id TEXT PRIMARY KEY, at INTEGER, failures INTEGER, json TEXT)
  WITHOUT ROWID`;

/** Failures after which a scheduled action is kept, and not run again. */
export const MOST_FAILURES = 5;

export class ScheduleRows {
  readonly #sql: PartStorage["sql"];
  readonly #most: number;
  #scheduled: Map<string, Scheduled> | undefined;
  /** The actions before the flush under way; undefined if the flush has not changed them. */
  #before: Map<string, Scheduled> | undefined;
  /** Ids that the flush under way has changed. */
  #open: string[] = [];
  /** Changes of sealed flushes that are not written yet. A log written behind may be written during another flush. */
  readonly #changed = new Map<string, Scheduled | undefined>();

  /** `most`: the most scheduled actions of a room. */
  constructor(sql: PartStorage["sql"], most: number) {
    this.#sql = sql;
    this.#most = most;
    sql.exec(TABLE);
  }

  /** In the order in which they are due. */
  get all(): readonly Scheduled[] {
    return [...this.#map().values()].toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  }

  #map(): Map<string, Scheduled> {
    if (this.#scheduled) return this.#scheduled;
    const rows = this.#sql.exec<{ json: string }>("SELECT json FROM room_schedule").toArray();
    const all = rows.map(({ json }) => freezeDeep(JSON.parse(json) as Scheduled));
    return (this.#scheduled = new Map(all.map((one) => [one.id, one])));
  }

  /** Throws `too_large` if there would be too many with these changes. */
  check(changes: ReadonlyMap<string, Scheduled | undefined>): void {
    let count = this.#map().size;
    for (const [id, scheduled] of changes)
      count += Number(scheduled !== undefined) - Number(this.#map().has(id));
    if (count > this.#most)
      throw new HubError(
        "too_large",
        `A room schedules ${this.#most} actions at most (limits.schedulesPerRoom).`,
      );
  }

  put(changes: ReadonlyMap<string, Scheduled | undefined>): void {
    const map = this.#map();
    if (changes.size > 0) this.#before ??= new Map(map);
    for (const [id, scheduled] of changes) {
      if (scheduled) map.set(id, freezeDeep(scheduled));
      else map.delete(id);
      this.#open.push(id);
    }
  }

  /** Called before the flush is saved: its changes are written with it. */
  seal(): void {
    for (const id of this.#open.splice(0)) this.#changed.set(id, this.#map().get(id));
  }

  /** Called after a flush was saved, or not at all. Returns whether a saved flush has changed the schedule. */
  flushed(isSaved: boolean): boolean {
    const isChanged = this.#before !== undefined;
    if (!isSaved && this.#before) {
      this.#scheduled = this.#before;
      for (const id of this.#changed.keys()) this.#changed.set(id, this.#scheduled.get(id));
    }
    this.#before = undefined;
    return isSaved && isChanged;
  }

  get(id: string): Scheduled | undefined {
    return this.#map().get(id);
  }

  get isChanged(): boolean {
    return this.#changed.size > 0;
  }

  /** Called in the commit. */
  write(): void {
    for (const [id, one] of this.#changed)
      if (!one) this.#sql.exec("DELETE FROM room_schedule WHERE id = ?", id);
      else
        this.#sql.exec(
          "INSERT OR REPLACE INTO room_schedule VALUES (?, ?, ?, ?)",
          ...[id, Math.ceil(one.at), one.failures, JSON.stringify(one)],
        );
  }

  /** Called when the commit has succeeded. */
  written(): void {
    this.#changed.clear();
  }

  /** The earliest time at which an action is due. After a wake it is read from the storage, without the state. */
  dueAt(): number | undefined {
    if (this.#scheduled) return this.all.find(({ failures }) => failures < MOST_FAILURES)?.at;
    const [row] = this.#sql
      .exec<{ at: number | null }>(
        "SELECT min(at) AS at FROM room_schedule WHERE failures < ?",
        MOST_FAILURES,
      )
      .toArray();
    return row?.at ?? undefined;
  }

  get isEmpty(): boolean {
    if (this.#scheduled) return this.#scheduled.size === 0;
    return this.#sql.exec("SELECT 1 AS one FROM room_schedule LIMIT 1").toArray().length === 0;
  }

  forget(): void {
    [this.#scheduled, this.#before, this.#open] = [undefined, undefined, []];
    this.#changed.clear();
  }
}
