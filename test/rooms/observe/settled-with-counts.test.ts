// A room's checkpoint in the row of its last report, and counts that wait to be written with it.

import { expect, it } from "vitest";
import { ZERO_COUNTERS } from "../../../src/rooms/observe/counters.ts";
import { LastReport } from "../../../src/rooms/observe/last-report.ts";

const COUNTS = { wake: "w", counted: { ...ZERO_COUNTERS, wakes: 1 }, before: ZERO_COUNTERS };
const REPORT = { ...COUNTS, sockets: 0, connections: 1, users: 1 };

/** Of a room without sockets, which has reported unless `isNew`. `written`: what was put, in order. */
function row(isNew = false) {
  const written: unknown[] = [];
  const stored = new Map<string, unknown>();
  const kv = {
    get: (key: string) => stored.get(key),
    put: (key: string, value: unknown) => void written.push(stored.set(key, value).get(key)),
  };
  const open = () => new LastReport(kv as ConstructorParameters<typeof LastReport>[0]);
  const last = open();
  if (!isNew) last.sent(REPORT, 1, undefined);
  written.length = 0;
  return { last, open, written };
}

it("has counts that came before it, in one write", () => {
  const { last, open, written } = row();
  last.expectSettled();
  expect(last.save(COUNTS)).toBe(true);
  expect(written).toEqual([]);
  expect(last.saveSettled({ epoch: "e", offset: 7 })).toBe(true);
  expect(written).toHaveLength(1);
  expect(open()).toMatchObject({ saved: COUNTS, settled: { epoch: "e", offset: 7 } });
});

it("has a report that came before it, in one write", () => {
  const { last, open, written } = row();
  last.expectSettled();
  last.sent(REPORT, 9, undefined);
  last.saveSettled({ epoch: "e", offset: 7 });
  expect(written).toHaveLength(1);
  expect(open()).toMatchObject({ at: 9, saved: undefined, settled: { epoch: "e", offset: 7 } });
});

it("is kept by later writes of the row", () => {
  const { last, open } = row();
  last.saveSettled({ epoch: "e", offset: 7 });
  for (const write of [
    () => last.save(COUNTS),
    () => last.sent({ ...REPORT, users: 2 }, 5, undefined),
    () => last.keep(COUNTS),
  ]) {
    write();
    expect(open().settled).toEqual({ epoch: "e", offset: 7 });
  }
});

it("does not hold up counts that come after it, nor any where it is cancelled", () => {
  const { last, open, written } = row();
  last.saveSettled({ epoch: "e", offset: 7 });
  expect(last.save(COUNTS)).toBe(false);
  expect(written).toHaveLength(2);
  last.expectSettled();
  last.save({ ...COUNTS, wake: "x" });
  expect(written).toHaveLength(2);
  last.cancelSettled();
  expect(open().saved).toMatchObject({ wake: "x" });
  last.cancelSettled();
  expect(written).toHaveLength(3);
});

it("is not saved here by a room that has not reported yet", () => {
  const { last, written } = row(true);
  last.expectSettled();
  expect(last.saveSettled({ epoch: "e", offset: 7 })).toBe(false);
  expect([written, last.settled]).toEqual([[], undefined]);
});
