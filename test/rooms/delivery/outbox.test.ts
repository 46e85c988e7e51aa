// How often an outbox flushes.

import { expect, it, vi } from "vitest";
import { memoryOf, Outbox } from "../../../src/rooms/delivery/outbox.ts";

interface Waiting {
  readonly run: () => void;
  readonly delayMs: number;
}

it("[ST7] holds what comes within the period of updates, for few sockets as well", () => {
  const waiting: Waiting[] = [];
  const outbox = new Outbox({
    connections: { all: new Set(), get: () => undefined, send: () => {} },
    counters: { out: 0 },
    timer: (run, delayMs) => waiting.push({ run, delayMs }),
  });
  const save = vi.fn<() => void>();
  outbox.saver = { save };
  outbox.limit(30);
  const publish = () =>
    outbox.publish({
      ...{ room: "group:a", epoch: "e", audience: new Set() },
      entry: { target: "moved", params: "[]", offset: 1, at: 0 },
    });
  const next = () => {
    const { run, delayMs } = waiting.shift()!;
    run();
    return delayMs;
  };
  publish();
  expect([next(), save.mock.calls.length]).toEqual([0, 1]);
  publish();
  publish();
  expect([next(), save.mock.calls.length]).toEqual([0, 1]);
  expect([next(), save.mock.calls.length]).toEqual([1000 / 30, 2]);
  expect([next(), next(), save.mock.calls.length]).toEqual([0, 1000 / 30, 2]);
  expect(waiting).toEqual([]);
});

it("a long text beyond Latin takes two bytes a character", () => {
  expect(["x", "é", "日"].map((letter) => memoryOf(letter.repeat(2_000)))).toEqual([
    ...[2_000, 2_000, 4_000],
  ]);
});
