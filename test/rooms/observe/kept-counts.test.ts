// Counts of an object that sleeps between messages, in the attachment of one of its sockets.

import { describe, expect, it } from "vitest";
import { ZERO_COUNTERS } from "../../../src/rooms/observe/counters.ts";
import type { Report } from "../../../src/rooms/rpc/activity-report.ts";
import { object, SECOND, Sockets, START } from "./reporting-object.ts";

describe("counts beside a socket", () => {
  /** A wake for one message, so many minutes after the start; the first one reports. */
  async function wake(kv: Map<string, unknown>, minutes: number, sockets: Sockets) {
    const room = object(kv, START + minutes * 60 * SECOND, sockets);
    room.say();
    await room.until(minutes * 60 + 60);
    return room;
  }

  /** An object that sleeps: it has reported one message, and counted another since. */
  async function slept() {
    const [kv, sockets] = [new Map<string, unknown>(), new Sockets()];
    await wake(kv, 0, sockets);
    await wake(kv, 2, sockets);
    return { kv, sockets };
  }

  const savedIn = (kv: Map<string, unknown>) => (kv.get("told") as { saved?: Report }).saved;

  it("cost no row, and go with a report a quarter of an hour after the last", async () => {
    const [kv, sockets] = [new Map<string, unknown>(), new Sockets()];
    await wake(kv, 0, sockets);
    const told = kv.get("told");
    await wake(kv, 2, sockets);
    await wake(kv, 6, sockets);
    expect(kv.get("told")).toBe(told);
    const { told: reports, news } = await wake(kv, 16, sockets);
    expect(reports[0]![1].counted).toMatchObject({ in: 3, wakes: 3 });
    expect(news[0]).toMatchObject({ in: 3, wakes: 3 });
    const later = await wake(kv, 40, sockets);
    expect(later.news[0]).toMatchObject({ in: 1, wakes: 1 });
  });

  it("are saved in the row where no socket has room, with those that one had", async () => {
    const { kv, sockets } = await slept();
    sockets.isFull = true;
    await wake(kv, 6, sockets);
    expect(savedIn(kv)).toMatchObject({ counted: { in: 2, wakes: 2 } });
    sockets.isFull = false;
    await wake(kv, 8, sockets);
    expect((await wake(kv, 16, sockets)).news[0]).toMatchObject({ in: 4, wakes: 4 });
  });

  it("are found with a socket that closed during the sleep", async () => {
    const { kv, sockets } = await slept();
    const room = object(kv, START + 180 * SECOND, new Sockets());
    room.reports.addEarlier(sockets.counts);
    room.reports.addEarlier(sockets.counts);
    room.crowd.users = 0;
    room.reports.note();
    await room.until(240);
    expect(room.news).toEqual([{ ...ZERO_COUNTERS, in: 1, wakes: 2 }]);
  });

  it("are found with a socket that closed during the sleep, though the row has some from before", async () => {
    const [kv, sockets] = [new Map<string, unknown>(), new Sockets()];
    await wake(kv, 0, sockets);
    sockets.isFull = true;
    await wake(kv, 2, sockets);
    sockets.isFull = false;
    await wake(kv, 4, sockets);
    const room = object(kv, START + 300 * SECOND, new Sockets());
    room.reports.addEarlier(sockets.counts);
    room.crowd.users = 0;
    room.reports.note();
    await room.until(400);
    expect(room.news).toEqual([{ ...ZERO_COUNTERS, in: 2, wakes: 3 }]);
  });

  it("are not counted again where a report has them", async () => {
    const { kv, sockets } = await slept();
    const kept = { ...sockets };
    await wake(kv, 16, sockets);
    Object.assign(sockets, kept);
    const { news } = await wake(kv, 40, sockets);
    expect(news).toEqual([{ ...ZERO_COUNTERS, in: 1, wakes: 1 }]);
  });
});

it("webhook events that begin or cease to wait are reported soon, and attempts between with a later report", async () => {
  const kv = new Map<string, unknown>();
  const none = { sockets: 0, connections: 0, users: 0 };
  const wake = async (seconds: number, waiting?: { events: number; since: number }) => {
    const room = object(kv, START + seconds * SECOND);
    Object.assign(room.crowd, none, { waiting });
    room.reports.note(true);
    await room.until(seconds + 30);
    return room.told.map(([at, report]) => [at - seconds, report.waiting, report.counted.wakes]);
  };
  const waiting = { events: 3, since: START };
  expect(await wake(0, waiting)).toEqual([[2, waiting, 1]]);
  expect(await wake(300, waiting)).toEqual([]);
  expect(await wake(600, waiting)).toEqual([]);
  expect(await wake(910, waiting)).toEqual([[0, waiting, 3]]);
  expect(await wake(1_210)).toEqual([[2, undefined, 1]]);
  expect(kv.get("told")).toMatchObject({ ...none, waiting: undefined });
});
