// When to write (docs/design/performance.md#pe3). A flush follows when the loop has drained, which at rest is at once; then
// it is let drain again, then held for 2 ms, and what came meanwhile is flushed together. When nothing came, no timer
// is left behind.

import { logError } from "../../model/logger.ts";
import { HANDLER_TURNS, microtasks } from "./microtasks.ts";

export const HOLD_MS = 2;

export type Timer = (run: () => void, delayMs: number) => unknown;

export interface FlushTiming {
  /** There is something to write. */
  want(): void;
}

export interface PaceOptions {
  readonly timer?: Timer;
  readonly holdMs?: number;
  /** Whether a flush costs less now than the timers that could spare one: few sockets, and no row to write. */
  isLight?(): boolean;
  now?(): number;
}

/**
 * Each frame of a burst is an event of its own, so the leading flush waits for the loop: a first message that went
 * out alone would cost a thousand sockets a frame. Where a flush is light it waits for as many microtasks as a handler
 * takes, and no timer follows it: three events a message are what 500 small rooms cannot afford. Whoever speaks again
 * within the hold is held like everybody.
 */
export function flushTiming(flush: () => void, options: PaceOptions = {}): FlushTiming {
  const { timer = setTimeout, holdMs = HOLD_MS, isLight = () => false, now = Date.now } = options;
  let state: "idle" | "running" = "idle";
  let wanted = false;
  let lightAt = -Infinity;

  const write = () => {
    wanted = false;
    try {
      flush();
    } catch (error) {
      // Nobody waits for a timer: one flush that fails must not keep the next from coming.
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
