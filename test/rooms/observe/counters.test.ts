// What is counted, and added up.

import { expect, it } from "vitest";
import {
  snapshotOf,
  countClient,
  countRefusal,
  countReplay,
  newCounters,
  ZERO_COUNTERS,
  difference,
  sum,
} from "../../../src/rooms/observe/counters.ts";
import { MessageRate } from "../../../src/rooms/platform/rates.ts";

it("a wake counts itself, and nothing else yet", () => {
  expect(snapshotOf(newCounters())).toEqual({ ...ZERO_COUNTERS, wakes: 1 });
});

it("refusals are counted by code, names of every object among them; what is no code is other", () => {
  const counters = newCounters();
  for (const code of ["forbidden", "forbidden", "constructor", "__proto__", 'a"b', "x\ny"])
    countRefusal(counters, code);
  const expected = { forbidden: 2, constructor: 1, other: 3 };
  expect(snapshotOf(counters).refusals).toEqual(expected);
  const twice = sum(snapshotOf(counters), snapshotOf(counters));
  expect(twice.refusals).toEqual({ forbidden: 4, constructor: 2, other: 6 });
  expect(sum(ZERO_COUNTERS, snapshotOf(counters)).refusals).toEqual(expected);
});

it("forty codes have names, and all more are other", () => {
  const counters = newCounters();
  for (let n = 0; n < 100; n++) countRefusal(counters, `code_${n}`);
  expect(counters.refusals.size).toBe(41);
  expect(counters.refusals.get("other")).toBe(60);
});

it("forty codes have names in the sum of many wakes, too", () => {
  const wakes = [0, 1, 2].map((wake) => {
    const counters = newCounters();
    for (let n = 0; n < 30; n++) countRefusal(counters, `code_${wake}_${n}`);
    return snapshotOf(counters);
  });
  const { refusals } = wakes.reduce(sum);
  expect([Object.keys(refusals).length, refusals["other"]]).toEqual([41, 50]);
});

it("twenty versions of clients have names, in one object and in the sum of many", () => {
  const [one, other] = [newCounters(), newCounters()];
  for (let n = 0; n < 30; n++) countClient(one, `1.0.${n}`);
  for (let n = 0; n < 30; n++) countClient(other, `2.0.${n}`);
  countClient(one, "1.0.7");
  countClient(one, undefined);
  const total = sum(snapshotOf(one), snapshotOf(other));
  for (const { clients = {} } of [snapshotOf(one), total])
    expect(Object.keys(clients)).toHaveLength(21);
  expect(total.clients).toMatchObject({ "1.0.0": 1, "1.0.7": 2, other: 40 });
});

it("a total that was stored before versions were counted is added to", () => {
  const { clients: _, ...stored } = ZERO_COUNTERS;
  const counters = newCounters();
  countClient(counters, "0.1.0");
  expect(sum(stored, snapshotOf(counters)).clients).toEqual({ "0.1.0": 1 });
  expect(difference(snapshotOf(counters), stored).clients).toEqual({ "0.1.0": 1 });
});

it("a replay is whole, or refused", () => {
  const counters = newCounters();
  countReplay(counters, true, 7);
  countReplay(counters, false, 0);
  expect(snapshotOf(counters)).toMatchObject({
    ...{ replays: 1, replayed: 7, refusals: { history_gone: 1 } },
  });
});

it("what came since is never below nothing", () => {
  const [before, now] = [
    { ...ZERO_COUNTERS, in: 5, refusals: { forbidden: 2 } },
    { ...ZERO_COUNTERS, in: 3, out: 4, refusals: { forbidden: 3, too_large: 1 } },
  ];
  expect(difference(now, before)).toEqual({
    ...ZERO_COUNTERS,
    out: 4,
    refusals: { forbidden: 1, too_large: 1 },
  });
});

it("a rate is that of the last minute", () => {
  const rate = new MessageRate();
  const at = 1_800_000_000_000;
  expect(rate.perSecond(at)).toBe(0);
  rate.add(60, at);
  rate.add(60, at + 30_000);
  expect(rate.perSecond(at + 30_999)).toBe(2);
  expect(rate.perSecond(at + 59_999)).toBe(2);
  expect(rate.perSecond(at + 60_000)).toBe(1);
  expect(rate.perSecond(at + 90_000)).toBe(0);
  rate.add(30, at + 3_600_000);
  expect(rate.perSecond(at + 3_600_000)).toBe(0.5);
  rate.add(30, at); // A clock that went back.
  expect(rate.perSecond(at + 3_600_000)).toBe(1);
});
