// Timers, and time limits that allow for a sleep: when a process, a page or a machine wakes, overdue timers run before
// the sockets are read [CP4].

/** If a timer is later than this, the process was suspended, and frames may wait unread in a socket. */
export const LATE_MS = 100;
/** The time in which a client that wakes reads the waiting frames. A page gets them from another process. */
const GRACE_MS = 500;

/** 24 days. The delay of `setTimeout` is a signed 32-bit integer; a longer delay counts as none. */
export const LONGEST_MS = 2 ** 31 - 1;

/** Calls `run` after `delayMs`, `LONGEST_MS` at most. Returns the function that cancels it. */
export function after(delayMs: number, run: () => void): () => void {
  const id = setTimeout(run, Math.min(delayMs, LONGEST_MS));
  return () => clearTimeout(id);
}

/**
 * Like `after`, for the time limit of a wait: if the timer is late, it waits `GRACE_MS` more, so that an answer that
 * arrived during a sleep still counts. Only once, and not for repeated timers: in a background tab every timer is late,
 * and the grace period takes a minute.
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

  /** Pass `limit` as `wait` if the delay is the time limit of a wait. */
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
