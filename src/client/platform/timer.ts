// Timers that judge fairly after a sleep: when a process, a page or a machine wakes, overdue timers run before the
// sockets are read [CP4].

/** A timer that is later than this was held up, and what arrived meanwhile may still wait in a socket. */
const LATE_MS = 100;
/** The time in which a client that wakes reads what waits. A page gets it from another process, not in one turn. */
const GRACE_MS = 500;

/**
 * Calls `run` after `delayMs`, and a moment later where the timer comes late: a limit that was exceeded in a sleep has
 * to lose against an answer that came in time. `wasLate` tells `run` of it. The moment is given once, so that the slow
 * timers of a background tab come to an end. A delay of 0 is a turn of the event loop and no limit.
 *
 * Returns the function that cancels it.
 */
export function after(delayMs: number, run: (wasLate: boolean) => void): () => void {
  const dueAt = Date.now() + delayMs;
  let id = setTimeout(() => {
    if (delayMs > 0 && Date.now() - dueAt > LATE_MS) id = setTimeout(run, GRACE_MS, true);
    else run(false);
  }, delayMs);
  return () => clearTimeout(id);
}

/** A single timer. Setting it again cancels the previous delay, so at most one callback is pending. */
export class Timer {
  #cancel: (() => void) | undefined;

  /** A callback is pending. False as soon as the callback starts. */
  get isSet(): boolean {
    return this.#cancel !== undefined;
  }

  set(run: (wasLate: boolean) => void, delayMs: number): void {
    this.clear();
    this.#cancel = after(delayMs, (wasLate) => {
      this.#cancel = undefined;
      run(wasLate);
    });
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
