// What waits for the reader of a stream of messages: all of it in order, within its limit, and an end that is told
// once.

import { expect, it, onTestFinished, vi } from "vitest";
import { mergeOutlet, type Outlet } from "../../../src/edge/grpc/encoded-stream.ts";
import { Queue } from "../../../src/edge/stream/slow-reader-queue.ts";

const all = async (queue: Queue<number>): Promise<number[]> => {
  const read: number[] = [];
  for await (const one of queue.read()) read.push(one);
  return read;
};

it("gives what was pushed in order, before and after it is read from, up to its end", async () => {
  let ends = 0;
  const queue = new Queue<number>(() => void (ends += 1));
  queue.push([1, 2], 10);
  const read = all(queue);
  queue.push([3], 10);
  await Promise.resolve();
  queue.push([4], 10);
  queue.end();
  queue.end(new Error("late"));
  queue.push([5], 10);
  expect([await read, ends]).toEqual([[1, 2, 3, 4], 1]);
});

it("ends where its reader does not read, who gets what waits all the same, and then why", async () => {
  let ends = 0;
  const queue = new Queue<number>(() => void (ends += 1));
  for (let n = 0; n < 20; n++) queue.push([n], 64 * 1024);
  expect([queue.hasEnded, ends]).toEqual([true, 1]);
  const read: number[] = [];
  const reading = (async () => {
    for await (const one of queue.read()) read.push(one);
  })();
  await expect(reading).rejects.toMatchObject({ code: "rate_limited" });
  expect(read).toEqual(Array.from({ length: 17 }, (_, n) => n));
});

it("takes one piece that is larger than all that may wait: its reader would never get further", async () => {
  const queue = new Queue<number>(() => {});
  queue.push([1], 10);
  queue.push([2], 3 * 1024 * 1024);
  queue.push([3], 10);
  const words = queue.read();
  expect([(await words.next()).value, (await words.next()).value]).toEqual([1, 2]);
  await expect(words.next()).rejects.toMatchObject({ code: "rate_limited" });
});

it("keeps what waits for a reader who may be gone for half a minute", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const queue = new Queue<number>(() => {});
  for (let n = 0; n < 20; n++) queue.push([n], 64 * 1024);
  const words = queue.read();
  vi.advanceTimersByTime(29_999);
  expect((await words.next()).value).toBe(0);
  vi.advanceTimersByTime(1);
  await expect(words.next()).rejects.toMatchObject({ code: "rate_limited" });
});

it("counts what was read no more", async () => {
  const queue = new Queue<number>(() => {});
  const words = queue.read();
  for (let n = 0; n < 50; n++) {
    queue.push([n], 512 * 1024);
    // oxlint-disable-next-line no-await-in-loop -- read as it comes
    expect((await words.next()).value).toBe(n);
  }
  expect(queue.hasEnded).toBe(false);
});

it("ends where its reader stops", async () => {
  let ends = 0;
  const queue = new Queue<number>(() => void (ends += 1));
  queue.push([1, 2], 10);
  for await (const one of queue.read()) if (one === 1) break;
  expect(ends).toBe(1);
});

it("ends with the answer that it is part of, though nothing is under way in that", async () => {
  const ends: unknown[] = [];
  const queue = new Queue<Uint8Array>(() => void ends.push("ended"));
  const outlet: Outlet = {};
  async function* begun() {
    yield new Uint8Array([1]);
    await queue.over;
  }
  const heard = { drain: async () => void ends.push("heard out") };
  const answer = mergeOutlet(begun(), outlet, heard)[Symbol.asyncIterator]();
  outlet.queue = queue;
  expect((await answer.next()).value).toEqual(new Uint8Array([1]));
  // Its reader waits, and goes.
  const waiting = answer.next();
  const left = answer.throw!(new Error("gone"));
  expect(ends).toEqual(["ended"]);
  await Promise.allSettled([waiting, left]);
});
