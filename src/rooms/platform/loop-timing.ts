// The clock for rates, deadlines and pauses, and the timing of work relative to the event loop
// (docs/design/performance.md#pe3). Tests of hubs have a clock that they move themselves. A flush runs when the loop
// has drained, at rest at once. Then the loop drains again, 2 ms pass, and all messages queued meanwhile are flushed
// together. If none were queued, no timer is left, so that the object may sleep.

import { logError } from "../../model/logger.ts";

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once, after so many milliseconds. The returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after so many milliseconds; with 0 after a turn of the event loop. */
export const pause = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.after(ms, resolve));

/** Pause between two flushes. */
export const HOLD_MS = 2;

export type Timer = (run: () => void, delayMs: number) => unknown;

export interface FlushTiming {
  /** Requests a flush. May be repeated. */
  want(): void;
}

interface FlushTimingOptions {
  readonly timer?: Timer;
  readonly holdMs?: number;
  /** Whether a flush costs less now than the timers that could save one, because there are few sockets. */
  isLight?(): boolean;
  /** Handlers under way, which may queue further messages for a flush. */
  handlers?: { readonly isNone: boolean } | undefined;
  now?(): number;
}

/**
 * The first flush waits for the loop as well, because each frame of a burst is a separate event: a first message that
 * is sent alone would cost a frame for each of a thousand sockets. A light flush waits for the handlers under way, and
 * no timer follows it: three events for each message would cost too much with 500 small rooms. A second message within
 * the pause waits as in any other room, so that a burst costs two rows of the log at most.
 */
export function flushTiming(flush: () => void, options: FlushTimingOptions = {}): FlushTiming {
  const { timer = setTimeout, holdMs = HOLD_MS, now = Date.now } = options;
  const { isLight = () => false, handlers } = options;
  let state: "idle" | "running" = "idle";
  let isWanted = false;
  let lightAt = -Infinity;
  const areOver = (turn: number) => turn >= FEWEST_TURNS && handlers?.isNone === true;

  const write = () => {
    isWanted = false;
    try {
      flush();
    } catch (error) {
      // No caller waits for a timer. A failed flush must not prevent the next one.
      logError("flush_failed", { error });
    }
  };
  const run = () => {
    write();
    timer(() => timer(settle, holdMs), 0);
  };
  const settle = () => {
    if (isWanted) run();
    else state = "idle";
  };
  const runLight = () => {
    write();
    state = "idle";
    if (isWanted) want();
  };
  const want = () => {
    isWanted = true;
    if (state !== "idle") return;
    state = "running";
    const at = now();
    if (at - lightAt < holdMs || !isLight()) return void timer(run, 0);
    lightAt = at;
    void microtasks(HANDLER_TURNS, areOver).then(runLight);
  };
  return { want };
}

/** Microtask turns within which a handler ends, unless it waits for other work. */
const HANDLER_TURNS = 24;
/**
 * Turns that a light flush waits in any case: events without a handler, such as a new connection, need some.
 */
const FEWEST_TURNS = 6;

/** Resolves after so many microtask turns, or earlier once `isOver` is true. */
async function microtasks(count: number, isOver: (turn: number) => boolean): Promise<void> {
  // Waits turn by turn on purpose.
  // oxlint-disable-next-line no-await-in-loop, unicorn/no-unnecessary-await
  for (let turn = 0; turn < count && !isOver(turn); turn++) await null;
}

/**
 * Handlers under way in an object. Only those that outlast `HANDLER_TURNS` keep it awake by `waitUntil`, which costs a
 * twentieth of a small room's message.
 */
export class WorkUnderWay {
  readonly #waitUntil: (work: Promise<unknown>) => void;
  #count = 0;

  constructor(waitUntil: (work: Promise<unknown>) => void) {
    this.#waitUntil = waitUntil;
  }

  get isNone(): boolean {
    return this.#count === 0;
  }

  /** Counts work until it has settled. The caller handles its errors. */
  add(work: Promise<unknown>): void {
    let isOver = false;
    const end = () => {
      isOver = true;
      this.#count--;
    };
    this.#count++;
    work.then(end, end);
    void microtasks(HANDLER_TURNS, () => isOver).then(() => isOver || this.#waitUntil(work));
  }
}

/** Turns of the event loop within which a message is handled, flushed and answered, unless its handler waits. */
const FEW_TURNS = 5;

/** Resolves when no handler is under way and all is flushed. False if that takes more than a few turns of the loop. */
export async function settledSoon(
  handlers: Pick<WorkUnderWay, "isNone">,
  flushed: () => Promise<void>,
): Promise<boolean> {
  // Waits turn by turn on purpose.
  // oxlint-disable no-await-in-loop
  for (let turn = 0; turn < FEW_TURNS; turn++) {
    await pause(systemClock, 0);
    await flushed();
    if (!handlers.isNone) continue;
    await flushed();
    if (handlers.isNone) return true;
  }
  // oxlint-enable no-await-in-loop
  return false;
}

/**
 * Resolves when all have settled, or after so many milliseconds. Never rejects. Clears its timer, because an open timer
 * keeps the object awake.
 */
export async function settledWithin(ms: number, work: readonly Promise<unknown>[]): Promise<void> {
  if (work.length === 0) return;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([Promise.allSettled(work), late]);
  clearTimeout(timer);
}
