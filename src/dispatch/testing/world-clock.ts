// The clock of a world: it stands still until a test moves it.

import type { Clock, Timer } from "../../rooms/platform/loop-timing.ts";

/** The platform's own timer: tests may replace the global one by a fake. */
const { setTimeout: later } = globalThis;

/** Resolves when the event loop has turned. */
export const turn = (): Promise<void> => new Promise((resolve) => void later(resolve, 0));

/** A timer whose delays are too short to matter: those between two flushes, or two presence messages. */
export const soon: Timer = (run) => later(run, 0);

interface PendingTimer {
  readonly at: number;
  run(): void;
}

export class WorldClock implements Clock {
  #now: number;
  readonly #pending = new Set<PendingTimer>();

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** Sets a timer. One that is due at once rings without a move of the clock. */
  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(ms, 0), run };
    this.#pending.add(timer);
    if (ms <= 0) later(() => this.#ring(timer), 0);
    return () => void this.#pending.delete(timer);
  }

  #ring(timer: PendingTimer): void {
    if (this.#pending.delete(timer)) timer.run();
  }

  /** Rings every timer that becomes due, in the order of their times, and lets the world settle between them. */
  async advance(ms: number, settled: () => Promise<void>): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.at);
      this.#ring(next);
      // oxlint-disable-next-line no-await-in-loop -- what a timer begins may set the next one
      await settled();
    }
    this.#now = end;
  }

  /** The first timer that is due by then. Timers of the same time ring in the order in which they were set. */
  #next(end: number): PendingTimer | undefined {
    let first: PendingTimer | undefined;
    for (const timer of this.#pending)
      if (timer.at <= end && timer.at < (first?.at ?? Infinity)) first = timer;
    return first;
  }
}
