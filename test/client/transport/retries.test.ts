// Pauses before requests that the client makes again by itself.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Retries } from "../../../src/client/transport/retries.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Milliseconds from the refusal to the next request. */
async function pauseOf(retries: Retries): Promise<number> {
  const start = Date.now();
  const { promise, resolve } = Promise.withResolvers<number>();
  retries.add(() => resolve(Date.now() - start));
  await vi.advanceTimersToNextTimerAsync();
  return promise;
}

it("grow with each refusal, and begin anew where none has come for a while", async () => {
  const retries = new Retries({ baseMs: 1_000, capMs: 30_000, random: () => 0.5 });
  expect(await pauseOf(retries)).toBe(500);
  expect(await pauseOf(retries)).toBe(1_000);
  await vi.advanceTimersByTimeAsync(29_000);
  expect(await pauseOf(retries)).toBe(2_000);
  await vi.advanceTimersByTimeAsync(31_000);
  expect(await pauseOf(retries)).toBe(500);
});

it("begin anew with each connection", async () => {
  const retries = new Retries({ baseMs: 1_000, capMs: 30_000, random: () => 0.5 });
  expect([await pauseOf(retries), await pauseOf(retries)]).toEqual([500, 1_000]);
  retries.stop();
  expect(await pauseOf(retries)).toBe(500);
});
