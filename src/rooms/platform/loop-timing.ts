// When work runs, relative to the event loop: flushes (docs/design/performance.md#pe3), and how long a handler takes that
// waits for nothing. A flush follows when the loop has drained, which at rest is at once; then the loop drains again,
// 2 ms pass, and what came meanwhile is flushed together. When nothing came, no timer is left behind.

import { logError } from "../../model/logger.ts";

export const HOLD_MS = 2;

export type Timer = (run: () => void, delayMs: number) => unknown;

export interface FlushTiming {
  /** Asks for a flush: there is something to write. May be repeated. */
  want(): void;
}

export interface FlushTimingOptions {
  readonly timer?: Timer;
  readonly holdMs?: number;
  /** Whether a flush costs less now than the timers that could spare one: few sockets, and no row to write. */
  isLight?(): boolean;
  now?(): number;
}

/**
 * Each frame of a burst is an event of its own, so the leading flush waits for the loop: a first message that went
 * out alone would cost a thousand sockets a frame. Where a flush is light it waits for as many microtasks as a handler
 * takes, and no timer follows it: three events a message are what 500 small rooms cannot afford. A second message
 * within the hold waits like in any other room.
 */
export function flushTiming(flush: () => void, options: FlushTimingOptions = {}): FlushTiming {
  const { timer = setTimeout, holdMs = HOLD_MS, isLight = () => false, now = Date.now } = options;
  let state: "idle" | "running" = "idle";
  let wanted = false;
  let lightAt = -Infinity;

  const write = () => {
    wanted = false;
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
    if (wanted) run();
    else state = "idle";
  };
  const runLight = () => {
    write();
    state = "idle";
    if (wanted) want();
  };
  const want = () => {
    wanted = true;
    if (state !== "idle") return;
    state = "running";
    const at = now();
    if (at - lightAt < holdMs || !isLight()) return void timer(run, 0);
    lightAt = at;
    void microtasks(HANDLER_TURNS).then(runLight);
  };
  return { want };
}

/** Microtask turns within which a handler ends, unless it waits for something. */
const HANDLER_TURNS = 24;

/** So many microtask turns, or until `isOver` says that no caller waits for them any more. */
async function microtasks(count: number, isOver: () => boolean = () => false): Promise<void> {
  // Turn by turn is the point.
  // oxlint-disable-next-line no-await-in-loop, unicorn/no-unnecessary-await
  for (let turn = 0; turn < count && !isOver(); turn++) await null;
}

/**
 * Keeps the object awake for work that outlasts a handler's turns. Most work ends within them; telling the runtime of
 * each costs a twentieth of a small room's message.
 */
export const keepAwake =
  (waitUntil: (work: Promise<unknown>) => void) =>
  (work: Promise<unknown>): void => {
    let isOver = false;
    const end = () => (isOver = true);
    work.then(end, end);
    void microtasks(HANDLER_TURNS, () => isOver).then(() => isOver || waitUntil(work));
  };
