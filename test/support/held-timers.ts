// Timers of one length that wait for a test and not for the clock, each in the request that set it; all others run.

import { onTestFinished, vi } from "vitest";

/** `expire()` lets all of them end now. */
export function heldTimers(duration: number): { readonly count: number; expire(): void } {
  const wait = globalThis.setTimeout;
  let [count, isOver] = [0, false];
  const spy = vi.spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void, ms = 0) => {
    if (ms !== duration) return wait(run, ms);
    count += 1;
    const look = () => void (isOver ? run() : wait(look, 1));
    return wait(look, 1);
  }) as typeof setTimeout);
  onTestFinished(() => spy.mockRestore());
  return {
    get count() {
      return count;
    },
    expire: () => void (isOver = true),
  };
}
