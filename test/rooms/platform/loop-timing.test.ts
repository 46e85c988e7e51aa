// When flushes come, with a timer that the test runs by hand.

import { describe, expect, it, vi } from "vitest";
import {
  HOLD_MS,
  WorkUnderWay,
  flushTiming,
  settledSoon,
} from "../../../src/rooms/platform/loop-timing.ts";

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

/** More turns of the microtask queue than a flush waits for. */
async function turns(count = 40): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

describe("pace", () => {
  it("flushes once the loop has drained, with all that came until then", async () => {
    const flush = vi.fn<() => void>();
    const { timer, due, next } = timers();
    const { want } = flushTiming(flush, { timer });
    for (let i = 0; i < 10; i++) want();
    await turns();
    want();
    expect([flush.mock.calls.length, due.length]).toEqual([0, 1]);
    expect([next(), flush.mock.calls.length]).toEqual([0, 1]);
  });

  it("leaves no timer behind when nothing more comes", async () => {
    const flush = vi.fn<() => void>();
    const { timer, due, next } = timers();
    flushTiming(flush, { timer }).want();
    expect([next(), next(), next(), next()]).toEqual([0, 0, HOLD_MS, undefined]);
    expect([flush.mock.calls.length, due.length]).toEqual([1, 0]);
  });

  it("holds what comes after a flush, and flushes it together", async () => {
    const flush = vi.fn<() => void>();
    const { timer, next } = timers();
    const { want } = flushTiming(flush, { timer });
    want();
    next();
    for (let i = 0; i < 5; i++) want();
    expect([next(), flush.mock.calls.length]).toEqual([0, 1]);
    for (let i = 0; i < 5; i++) want();
    expect([next(), flush.mock.calls.length]).toEqual([HOLD_MS, 2]);
  });

  it("flushes again where a flush itself wants one", async () => {
    const { timer, due, next } = timers();
    let wants = 3;
    const flushing = flushTiming(
      () => {
        if (--wants > 0) flushing.want();
      },
      { timer },
    );
    flushing.want();
    await turns();
    while (due.length > 0) next();
    expect(wants).toBe(0);
  });

  it("goes on after a flush that throws", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const flush = vi.fn<() => void>().mockImplementationOnce(() => {
      throw new Error("The disk is full.");
    });
    const { timer, due, next } = timers();
    const { want } = flushTiming(flush, { timer });
    for (let time = 0; time < 2; time++) {
      want();
      await turns();
      while (due.length > 0) next();
    }
    expect([flush.mock.calls.length, logged.mock.calls.length]).toEqual([2, 1]);
    logged.mockRestore();
  });
});

describe("pace where a flush is light", () => {
  const light = () => {
    const flush = vi.fn<() => void>();
    const { timer, due, next } = timers();
    const clock = { now: 1_000 };
    const { want } = flushTiming(flush, { timer, isLight: () => true, now: () => clock.now });
    return { flush, due, next, clock, want };
  };

  it("uses no timer at all, as long as the hold has passed since the last", async () => {
    const { flush, due, clock, want } = light();
    for (let time = 0; time < 3; time++) {
      want();
      await turns();
      clock.now += HOLD_MS;
    }
    expect([flush.mock.calls.length, due.length]).toEqual([3, 0]);
  });

  it("holds who comes again sooner, and what comes then", async () => {
    const { flush, due, next, want } = light();
    want();
    await turns();
    want();
    await turns();
    expect([flush.mock.calls.length, due.map(({ delayMs }) => delayMs)]).toEqual([1, [0]]);
    expect([next(), flush.mock.calls.length]).toEqual([0, 2]);
    for (let i = 0; i < 5; i++) want();
    expect([next(), next(), flush.mock.calls.length]).toEqual([0, HOLD_MS, 3]);
  });
});

describe("a light flush beside handlers", () => {
  const beside = () => {
    const flush = vi.fn<() => void>();
    const { timer } = timers();
    const kept: Promise<unknown>[] = [];
    const handlers = new WorkUnderWay((work) => kept.push(work));
    const { want } = flushTiming(flush, {
      ...{ timer, isLight: () => true, now: () => 1_000, handlers },
    });
    return { flush, handlers, kept, want };
  };

  it("comes within ten turns where none is under way", async () => {
    const { flush, want } = beside();
    want();
    await turns(10);
    expect(flush).toHaveBeenCalledOnce();
  });

  it("waits for one that is under way, and comes soon after its end", async () => {
    const { flush, handlers, want } = beside();
    const { promise, resolve } = Promise.withResolvers<void>();
    handlers.add(promise);
    want();
    await turns(12);
    expect(flush).not.toHaveBeenCalled();
    resolve();
    await turns(4);
    expect(flush).toHaveBeenCalledOnce();
  });

  it("does not wait for one that waits itself, which keeps the object awake", async () => {
    const { flush, handlers, kept, want } = beside();
    const { promise } = Promise.withResolvers<void>();
    handlers.add(promise);
    want();
    await turns();
    expect([flush.mock.calls.length, kept]).toEqual([1, [promise]]);
  });

  it("counts a handler that fails as over", async () => {
    const { handlers, kept } = beside();
    const failing = Promise.reject(new Error("no"));
    handlers.add(failing);
    expect(handlers.isNone).toBe(false);
    await turns(4);
    expect([handlers.isNone, kept]).toEqual([true, []]);
  });
});

describe("what an object does is over", () => {
  const loopTurn = () => new Promise<void>((resolve) => void setTimeout(resolve, 0));

  it("once its handler and the flush behind it are", async () => {
    const handlers = new WorkUnderWay(() => {});
    const flushes: string[] = [];
    handlers.add(loopTurn().then(() => void flushes.push("answer")));
    expect(await settledSoon(handlers, async () => void flushes.push("flush"))).toBe(true);
    expect(flushes.slice(flushes.indexOf("answer"))).toContain("flush");
  });

  it("not in moments, where a handler waits", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const handlers = new WorkUnderWay(() => {});
    handlers.add(promise);
    expect(await settledSoon(handlers, async () => {})).toBe(false);
    resolve();
  });
});
