// How often an outbox flushes, and the memory of entries.

import { expect, it, vi } from "vitest";
import { memoryOf, Outbox, RecentEntries } from "../../../src/rooms/delivery/outbox.ts";

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

it.each([
  ["places", { bytes: Array.from({ length: 4_000 }, (_, at) => [0, at]) }],
  ["excluded connections", { except: Array<string>(100).fill("c".repeat(600)) }],
])("entries for followers count their %s", (_, more) => {
  const recent = new RecentEntries();
  const entryAt = (offset: number) => ({ target: "said", params: "[]", offset, at: 0, ...more });
  recent.add(Array.from({ length: 900 }, (_entry, at) => entryAt(at + 1)));
  expect(recent.all.length).toBeLessThan(900);
  expect(recent.all.at(-1)?.offset).toBe(900);
});
