// Timers of one length that wait for a test and not for the clock, each in the request that set it; all others run.

import { onTestFinished, vi } from "vitest";

export interface HeldTimers {
  /** All that were set. */
  readonly count: number;
  /** Those that nobody has cleared. */
  readonly running: number;
  /** Lets all of them end now. */
  expire(): void;
}

export function heldTimers(duration: number): HeldTimers {
  const { setTimeout: wait, clearTimeout: clear } = globalThis;
  const held = new Set<unknown>();
  let [count, isOver] = [0, false];
  const spies = [
    vi.spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void, ms = 0) => {
      if (ms !== duration) return wait(run, ms);
      count += 1;
      // It looks by itself: whoever woke it would have it run in the wrong request.
      const look = (): void => {
        if (!held.has(id)) return;
        if (!isOver) return void wait(look, 1);
        held.delete(id);
        run();
      };
      const id = wait(look, 1);
      held.add(id);
      return id;
    }) as typeof setTimeout),
    vi.spyOn(globalThis, "clearTimeout").mockImplementation((id) => {
      held.delete(id);
      clear(id ?? null);
    }),
  ];
  onTestFinished(() => {
    held.clear();
    for (const spy of spies) spy.mockRestore();
  });
  return {
    get count() {
      return count;
    },
    get running() {
      return held.size;
    },
    expire: () => void (isOver = true),
  };
}
