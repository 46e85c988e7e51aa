// When flushes come, with a timer that the test runs by hand.

import { describe, expect, it, vi } from "vitest";
import { HOLD_MS, pace } from "../../src/rooms/pace.ts";

interface Due {
  readonly run: () => void;
  readonly delayMs: number;
}

function timers() {
  const due: Due[] = [];
  return {
    due,
    timer: (run: () => void, delayMs: number) => due.push({ run, delayMs }),
    /** Runs the timer that is due first, and says how long it was held. */
    next: (): number | undefined => {
      const { run, delayMs } = due.shift() ?? {};
      run?.();
      return delayMs;
    },
  };
}

describe("pace", () => {
  it("flushes once the loop has drained when it is at rest, and never within the same turn", () => {
    const flush = vi.fn<() => void>();
    const { timer, due, next } = timers();
    const { want } = pace(flush, { timer });
    for (let i = 0; i < 10; i++) want();
    expect([flush.mock.calls.length, due.map(({ delayMs }) => delayMs)]).toEqual([0, [0]]);
    next();
    expect(flush).toHaveBeenCalledTimes(1);
  });

  it("leaves no timer behind when nothing more comes", () => {
    const flush = vi.fn<() => void>();
    const { timer, due, next } = timers();
    pace(flush, { timer }).want();
    expect([next(), next(), next(), next()]).toEqual([0, 0, HOLD_MS, undefined]);
    expect([flush.mock.calls.length, due.length]).toEqual([1, 0]);
  });

  it("holds what comes after a flush, and flushes it together", () => {
    const flush = vi.fn<() => void>();
    const { timer, next } = timers();
    const { want } = pace(flush, { timer });
    want();
    next();
    for (let i = 0; i < 5; i++) want();
    expect([next(), flush.mock.calls.length]).toEqual([0, 1]);
    for (let i = 0; i < 5; i++) want();
    expect([next(), flush.mock.calls.length]).toEqual([HOLD_MS, 2]);
  });

  it("flushes again where a flush itself wants one", () => {
    const { timer, due, next } = timers();
    let wants = 3;
    const flushing = pace(
      () => {
        if (--wants > 0) flushing.want();
      },
      { timer },
    );
    flushing.want();
    while (due.length > 0) next();
    expect(wants).toBe(0);
  });

  it("goes on after a flush that throws", () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const flush = vi.fn<() => void>().mockImplementationOnce(() => {
      throw new Error("The disk is full.");
    });
    const { timer, due, next } = timers();
    const { want } = pace(flush, { timer });
    want();
    while (due.length > 0) next();
    want();
    while (due.length > 0) next();
    expect([flush.mock.calls.length, logged.mock.calls.length]).toEqual([2, 1]);
    logged.mockRestore();
  });
});
