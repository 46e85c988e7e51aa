// What a room has stored, and this deploy does not know: its hub, or the state that the hub gave it. A deploy that was
// rolled back, and is rolled forward again, must find it. So such a room does not end, nor do its messages expire, for
// `KEPT_MS`. Meanwhile it looks from time to time, by alarm: the first look after the roll-forward does what was due.

import type { KeyValues } from "../../model/stored-values.ts";
import type { Duty } from "../platform/alarm-agenda.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const KEPT_MS = 30 * DAY_MS;
const KEY = "retained";

/** Since when it is not known, and when it was looked at last; milliseconds since 1970. */
interface Look {
  readonly since: number;
  readonly at: number;
}

interface RetentionOptions {
  readonly kv: KeyValues;
  readonly isServed: boolean;
  /** Whether something is stored that this deploy does not know. */
  holdsUnknown(): boolean;
}

export class Retention implements Duty {
  readonly #options: RetentionOptions;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Whether the room must not lose what it has stored. */
  keeps(now: number): boolean {
    if (!this.#options.holdsUnknown()) return false;
    return now - (this.#lookBefore(now)?.since ?? now) < KEPT_MS;
  }

  /** The expiry of messages: their age is not known without the hub. */
  holding({ due, run }: Duty): Duty {
    const isHeld = (now: number) => !this.#options.isServed && this.keeps(now);
    return {
      due: (now) => (isHeld(now) ? undefined : due(now)),
      run: (now) => (isHeld(now) ? undefined : run(now)),
    };
  }

  /** Undefined where there was none, or so long ago that everything was known in between. */
  #lookBefore(now: number): Look | undefined {
    const look = this.#options.kv.get<Look>(KEY);
    return look && now - look.at <= 2 * pauseAfter(look) + DAY_MS ? look : undefined;
  }

  due(now: number): number | undefined {
    if (!this.keeps(now)) return undefined;
    const look = this.#lookBefore(now) ?? { since: now, at: now };
    return look.at + pauseAfter(look);
  }

  run(now: number): void {
    if (!this.keeps(now)) return;
    const look = this.#lookBefore(now);
    if (!look || now >= look.at + pauseAfter(look))
      this.#options.kv.put(KEY, { since: look?.since ?? now, at: now });
  }
}

/** What is due is late by a quarter of that time at most, or by an hour. */
const pauseAfter = ({ since, at }: Look): number => Math.max(HOUR_MS, (at - since) / 4);
