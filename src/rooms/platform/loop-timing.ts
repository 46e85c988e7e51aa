// Time: the clock of hub code's surroundings (rates, deadlines, pauses), and when work runs, relative to the event loop
// (docs/design/performance.md#pe3). Tests of hubs have a clock that they move themselves. A flush runs when the loop
// has drained, at rest at once. Then the loop drains again, 2 ms pass, and everything queued meanwhile is flushed
// together. Where nothing was queued, no timer is left behind: the object may sleep.

import { logError } from "../../model/logger.ts";

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs once, so many milliseconds from now. The function that is returned cancels it. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after so many milliseconds; 0: when the event loop has turned. */
export const pause = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.after(ms, resolve));

/** Pause between two flushes. */
export const HOLD_MS = 2;

export type Timer = (run: () => void, delayMs: number) => unknown;

export interface FlushTiming {
  /** Requests a flush: there is something to write. May be repeated. */
  want(): void;
}

interface FlushTimingOptions {
  readonly timer?: Timer;
  readonly holdMs?: number;
  /** Whether a flush costs less now than the timers that could spare one: few sockets. */
  isLight?(): boolean;
  /** Handlers under way, which may add to a flush. */
  handlers?: { readonly isNone: boolean } | undefined;
  now?(): number;
}

/**
 * The first flush waits for the loop as well, since each frame of a burst is an event of its own: a first message that
 * left alone would cost a frame for each of a thousand sockets. A light flush waits for the handlers that are under
 * way, and no timer follows it: 500 small rooms cannot afford three events for each message. A second message within
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
      // No caller waits for a timer: a flush that fails must not keep the next from coming.
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

/** Microtask turns within which a handler ends, unless it waits for something. */
const HANDLER_TURNS = 24;
/**
 * Turns that a light flush waits in any case: events that are no calls, such as a connection that begins, have some.
 */
const FEWEST_TURNS = 6;

/** Resolves after so many microtask turns, or earlier once `isOver` is true. */
async function microtasks(count: number, isOver: (turn: number) => boolean): Promise<void> {
  // Turn by turn is the point.
  // oxlint-disable-next-line no-await-in-loop, unicorn/no-unnecessary-await
  for (let turn = 0; turn < count && !isOver(turn); turn++) await null;
}

/**
 * Handlers that are under way in an object. Those that outlast a handler's turns keep it awake; most end within them,
 * and each `waitUntil` costs a twentieth of a small room's message.
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

  /** Counts it until it has settled. Its failures are the caller's. */
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

/** Done when no handler is under way and all is flushed. False where that takes more than a few turns of the loop. */
export async function settledSoon(
  handlers: Pick<WorkUnderWay, "isNone">,
  flushed: () => Promise<void>,
): Promise<boolean> {
  // Turn by turn is the point.
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
 * Done when all have settled, or after so many milliseconds. Never rejects. Its timer ends with it: an open timer keeps
 * the object awake.
 */
export async function settledWithin(ms: number, work: readonly Promise<unknown>[]): Promise<void> {
  if (work.length === 0) return;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([Promise.allSettled(work), late]);
  clearTimeout(timer);
}
