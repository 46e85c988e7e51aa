// When to write: "ltd" of PERFORMANCE §2.4. At rest a flush follows at once; then the loop is let drain, then held
// for 2 ms, and what came meanwhile is flushed together. When nothing came, no timer is left behind.

export const HOLD_MS = 2;

export type Timer = (run: () => void, delayMs: number) => unknown;

export interface Pace {
  /** There is something to write. */
  want(): void;
}

/**
 * The leading flush waits for the loop once (delay 0), so that a call's completion and all it published leave in
 * one frame and one commit; microtasks would not do, since handlers take several of them.
 */
export function pace(flush: () => void, timer: Timer = setTimeout, holdMs = HOLD_MS): Pace {
  let state: "idle" | "running" = "idle";
  let wanted = false;

  const run = () => {
    wanted = false;
    try {
      flush();
    } catch (error) {
      // Nobody waits for a timer: one flush that fails must not keep the next from coming.
      console.error("A flush failed:", error);
    }
    timer(() => timer(settle, holdMs), 0);
  };
  const settle = () => {
    if (wanted) run();
    else state = "idle";
  };
  return {
    want() {
      wanted = true;
      if (state !== "idle") return;
      state = "running";
      timer(run, 0);
    },
  };
}
