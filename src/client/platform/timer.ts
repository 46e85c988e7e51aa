// Timers, and limits that judge fairly after a sleep: when a process, a page or a machine wakes, overdue timers run
// before the sockets are read [CP4].

/** A timer that is later than this was held up, and what arrived meanwhile may still wait in a socket. */
export const LATE_MS = 100;
/** The time in which a client that wakes reads what waits. A page gets it from another process, not in one turn. */
const GRACE_MS = 500;

/** 24 days. The argument of `setTimeout` is a signed 32-bit integer, and it takes a longer delay for none. */
export const LONGEST_MS = 2 ** 31 - 1;

/** Calls `run` after `delayMs`, `LONGEST_MS` at most. Returns the function that cancels it. */
export function after(delayMs: number, run: () => void): () => void {
  const id = setTimeout(run, Math.min(delayMs, LONGEST_MS));
  return () => clearTimeout(id);
}

/**
 * The same for the limit of a wait: one that comes late waits a moment more, so that a limit that was exceeded in a
 * sleep loses against an answer that came in time. Once, and not for what repeats: in a background tab every timer is
 * late, and the moment a minute.
 */
export function limit(limitMs: number, run: () => void): () => void {
  const dueAt = Date.now() + limitMs;
  let cancel = after(limitMs, () => {
    if (Date.now() - dueAt > LATE_MS) cancel = after(GRACE_MS, run);
    else run();
  });
  return () => cancel();
}

/** A single timer. Setting it again cancels the previous delay, so at most one callback is pending. */
export class Timer {
  #cancel: (() => void) | undefined;

  /** A callback is pending. False as soon as the callback starts. */
  get isSet(): boolean {
    return this.#cancel !== undefined;
  }

  /** `wait` is `limit` for the limit of a wait. */
  set(run: () => void, delayMs: number, wait = after): void {
    this.clear();
    this.#cancel = wait(delayMs, () => {
      this.#cancel = undefined;
      run();
    });
  }

  clear(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
