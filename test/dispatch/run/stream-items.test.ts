// Reading a stream: how fast, and how it is stopped. A session of the test's own stands in for a socket.

import { describe, expect, it, vi } from "vitest";
import type { Session } from "../../../src/dispatch/run/session.ts";
import { streamItems } from "../../../src/dispatch/run/stream-items.ts";
import { LIMITS } from "../../../src/model/options.ts";
import { systemClock } from "../../../src/rooms/platform/loop-timing.ts";

/** A reader with `queued` bytes waiting, and what it was sent. */
function reading(queued: () => number = () => 0, flow = { untaken: 0, unsent: 0 }) {
  const controller = new AbortController();
  const sent: unknown[] = [];
  /** The number of items that were sent when the event loop was left to others. */
  const pauses: number[] = [];
  const clock = {
    ...systemClock,
    after(ms: number, run: () => void) {
      if (ms === 0) pauses.push(sent.length);
      return systemClock.after(ms, run);
    },
  };
  const session = {
    connection: {
      ...{ attached: {}, flow, protocol: { binding: "json" } },
      get socket() {
        return { bufferedAmount: queued() };
      },
    },
    ...{ host: { settings: { limits: LIMITS }, clock }, unsentChars: 0 },
  } as unknown as Session;
  const read = (items: AsyncIterable<unknown>, send = (item: unknown) => sent.push(item)) =>
    streamItems(items, { session, name: "streams.of", signal: controller.signal, send });
  return { sent, pauses, read, abort: () => controller.abort() };
}

const iterable = (iterator: Partial<AsyncIterator<unknown>>) =>
  ({ [Symbol.asyncIterator]: () => iterator }) as AsyncIterable<unknown>;

describe("a stream that is read", () => {
  it("is not asked for anything once it is cancelled", async () => {
    const { read, abort, sent } = reading();
    abort();
    let asked = 0;
    await read(iterable({ next: async () => ({ done: ++asked < 0, value: 1 }) }));
    expect([asked, sent]).toEqual([0, []]);
  });

  it("waits for a reader that is slow, and goes on when it has read", async () => {
    let looks = 0;
    const { read, sent } = reading(() => (looks++ < 3 ? LIMITS.queuedBytes : 0));
    await read(
      (async function* () {
        for (let n = 0; n < 17; n++) yield n;
      })(),
    );
    expect([sent.length, looks]).toEqual([17, 4]);
  });

  it.each([
    ["16 items", 0, [16]],
    ["128 Ki characters", 60_000, [3, 6, 9, 12, 15, 16, 19]],
  ])("leaves the event loop to others after %s", async (_, size, expected) => {
    const { read, sent, pauses } = reading();
    const items = async function* () {
      for (let n = 1; n <= 20; n++) yield n;
    };
    await read(items(), (item) => (sent.push(item), size));
    expect(pauses).toEqual(expected);
  });

  it("is not told to stop once it has ended", async () => {
    const returned = vi.fn<() => Promise<IteratorResult<unknown>>>();
    let left = 3;
    const next = async () => ({ done: left-- === 0, value: 1 });
    await reading().read(iterable({ next, return: returned }));
    expect(returned).not.toHaveBeenCalled();
  });

  it("waits for the next flush where half of the limit is unsent", async () => {
    const flow = { untaken: 0, unsent: 0 };
    const { read, abort } = reading(() => 0, flow);
    const endless = async function* () {
      for (;;) yield 1;
    };
    const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
    const done = read(endless(), () => (flow.unsent += 100_000));
    await expect.poll(() => flow.unsent).toBeGreaterThan(LIMITS.queuedBytes / 2);
    const most = flow.unsent;
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(flow.unsent).toBe(most);
    flow.unsent = 0;
    await expect.poll(() => flow.unsent).toBeGreaterThan(LIMITS.queuedBytes / 2);
    abort();
    await done;
  });

  it("is told to stop when an item cannot be sent, and fails with that", async () => {
    let stopped = false;
    const endless = (async function* () {
      try {
        for (;;) yield 1;
      } finally {
        stopped = true;
      }
    })();
    const failing = () => {
      throw new Error("not this one");
    };
    await expect(reading().read(endless, failing)).rejects.toThrow("not this one");
    expect(stopped).toBe(true);
  });

  it.each([
    ["without a return", {}],
    ["whose return throws", { return: () => Promise.reject(new Error("late")) }],
    ["whose return never ends", { return: () => new Promise<never>(() => {}) }],
  ])("%s ends at once when it is cancelled", async (_, rest) => {
    const { read, abort } = reading();
    const done = read(iterable({ next: () => new Promise(() => {}), ...rest }));
    abort();
    await expect(done).resolves.toBeUndefined();
  });
});
