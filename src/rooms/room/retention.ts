// Stored data that this deploy does not know: the room's hub, or the state that the hub gave it. A deploy that was
// rolled back, and is rolled forward again, must find it. So such a room does not end, nor do its messages expire, for
// `UNKNOWN_KEPT_MS`. Meanwhile it looks from time to time, by alarm: the first look after the roll-forward does what
// was due.

import type { Sql } from "../../model/stored-values.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import { UNKNOWN_KEPT_MS } from "../platform/storage-version.ts";

const TABLE =
  "CREATE TABLE IF NOT EXISTS room_retention (id INTEGER PRIMARY KEY, since INTEGER, at INTEGER)";
const HOUR_MS = 3_600_000;

/** Since when it is not known, and when it was looked at last; milliseconds since 1970. */
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

  /** At a wake, which may have no alarm: sees to the next look. */
  begin(now: number): void {
    this.#forgetIfKnown();
    const at = this.due(now);
    if (at !== undefined) this.#options.arm(at);
  }

  /** A later roll-back keeps the room for as long again. */
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

  /** The expiry of messages: their age is not known without the hub. */
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

/** Due actions are late by a quarter of that time at most, or by an hour. */
const pauseAfter = ({ since, at }: Look): number => Math.max(HOUR_MS, (at - since) / 4);
