// How long a delivery is waited for, on a clock of the test's own.

import { afterEach, expect, it, vi } from "vitest";
import { DeliveredPositions } from "../../../src/rooms/links/undelivered-publications.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it("no waiter waits longer than two seconds, whoever came before", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: 0 });
  const timers: { readonly ms: number; readonly fire: () => void }[] = [];
  vi.spyOn(scheduler, "wait").mockImplementation(
    (ms) => new Promise((fire) => void timers.push({ ms, fire })),
  );
  const reached = new DeliveredPositions();
  const over: string[] = [];
  const first = reached.wait({ epoch: "e", offset: 1 }).then(() => over.push("first"));
  vi.setSystemTime(1_500);
  const second = reached.wait({ epoch: "e", offset: 2 }).then(() => over.push("second"));
  vi.setSystemTime(2_000);
  timers[0]!.fire();
  await first;
  expect([over, timers.map(({ ms }) => ms)]).toEqual([["first"], [2_000, 1_500]]);
  vi.setSystemTime(3_500);
  timers[1]!.fire();
  await second;
  expect([over, timers.length]).toEqual([["first", "second"], 2]);
});
