// Keeps stored data that this deploy does not know, because it lacks the room's hub, or the state of the hub. After a
// roll-back, a roll-forward must find the data again. So for `UNKNOWN_KEPT_MS` such a room does not end, and its
// messages do not expire. An alarm wakes it from time to time: the first wake after the roll-forward does the work that
// was due.

import type { Sql } from "../../model/stored-values.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import { UNKNOWN_KEPT_MS } from "../platform/storage-version.ts";

const TABLE =
  "CREATE TABLE IF NOT EXISTS room_retention (id INTEGER PRIMARY KEY, since INTEGER, at INTEGER)";
const HOUR_MS = 3_600_000;

/** Since when the data is unknown, and the time of the last check; milliseconds since 1970. */
type Look = Readonly<Record<"since" | "at", number>>;

interface RetentionOptions {
  readonly sql: Sql;
  readonly isServed: boolean;
  /** Requests a call of `run` at this time or earlier. */
  arm(at: number): void;
  /** Whether something is stored that this deploy does not know. */
  holdsUnknown(): boolean;
}

export class Retention implements Duty {
  readonly #options: RetentionOptions;

  constructor(options: RetentionOptions) {
    this.#options = options;
    options.sql.exec(TABLE);
  }

  /** Called at a wake, which may have no alarm: sets the alarm for the next check. */
  begin(now: number): void {
    this.#forgetIfKnown();
    const at = this.due(now);
    if (at !== undefined) this.#options.arm(at);
  }

  /** Forgets since when data is unknown, so that a later roll-back keeps the room for the whole time again. */
  #forgetIfKnown(): void {
    if (!this.#options.holdsUnknown()) this.#options.sql.exec("DELETE FROM room_retention");
  }

  /** Whether the room must not lose what it has stored. */
  keeps(now: number): boolean {
    return this.#options.holdsUnknown() && now - (this.#look?.since ?? now) < UNKNOWN_KEPT_MS;
  }

  get #look(): Look | undefined {
    return this.#options.sql.exec<Look>("SELECT since, at FROM room_retention").toArray()[0];
  }

  /** Suspends the expiry of messages while the hub is unknown, because the hub sets their maximum age. */
  holding({ due, run }: Duty): Duty {
    const isHeld = (now: number) => !this.#options.isServed && this.keeps(now);
    return {
      due: (now) => (isHeld(now) ? undefined : due(now)),
      run: (now) => (isHeld(now) ? undefined : run(now)),
    };
  }

  due(now: number): number | undefined {
    if (!this.keeps(now)) return undefined;
    const look = this.#look ?? { since: now, at: now };
    return look.at + pauseAfter(look);
  }

  run(now: number): void {
    this.#forgetIfKnown();
    if (!this.keeps(now)) return;
    const look = this.#look;
    if (look && now < look.at + pauseAfter(look)) return;
    const row = [look?.since ?? now, now];
    this.#options.sql.exec("INSERT OR REPLACE INTO room_retention VALUES (0, ?, ?)", ...row);
  }
}

/** The pause before the next check. Due actions run late by it: by an hour, or a quarter of the time since. */
const pauseAfter = ({ since, at }: Look): number => Math.max(HOUR_MS, (at - since) / 4);
