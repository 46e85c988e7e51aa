// Counts of an object that sleeps between messages, in the attachment of one of its sockets.

import { describe, expect, it, vi } from "vitest";
import { ZERO_COUNTERS } from "../../../src/rooms/observe/counters.ts";
import type { Report } from "../../../src/rooms/rpc/activity-report.ts";
import { object, SECOND, Sockets, START } from "./reporting-object.ts";

describe("counts beside a socket", () => {
  /** A wake for one message, so many minutes after the start; the first one reports. */
  async function wake(kv: Map<string, unknown>, minutes: number, sockets: Sockets, users = 1) {
    const room = object(kv, START + minutes * 60 * SECOND, sockets);
    room.crowd.users = users;
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

  it("cost no row, and go with a report half an hour after the last", async () => {
    const [kv, sockets] = [new Map<string, unknown>(), new Sockets()];
    await wake(kv, 0, sockets);
    const told = kv.get("told");
    await wake(kv, 2, sockets);
    await wake(kv, 6, sockets);
    expect(kv.get("told")).toBe(told);
    const { told: reports, news } = await wake(kv, 31, sockets);
    expect(reports[0]![1].counted).toMatchObject({ in: 3, wakes: 3 });
    expect(news[0]).toMatchObject({ in: 3, wakes: 3 });
    const later = await wake(kv, 62, sockets);
    expect(later.news[0]).toMatchObject({ in: 1, wakes: 1 });
  });

  it("are saved in the row where no socket has room, with those that one had", async () => {
    const { kv, sockets } = await slept();
    sockets.isFull = true;
    await wake(kv, 6, sockets);
    expect(savedIn(kv)).toMatchObject({ counted: { in: 2, wakes: 2 } });
    sockets.isFull = false;
    await wake(kv, 8, sockets);
    expect((await wake(kv, 31, sockets)).news[0]).toMatchObject({ in: 4, wakes: 4 });
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

  it("bring the number of rows, which is not counted again, from a socket that closed", async () => {
    const [kv, sockets] = [new Map<string, unknown>(), new Sockets()];
    const large = async (minutes: number, keeper: Sockets, users = 1) => {
      const room = object(kv, START + minutes * 60 * SECOND, keeper);
      room.file.rows = 5_000;
      room.crowd.users = users;
      room.reports.addEarlier(sockets.counts);
      room.say();
      await room.until(minutes * 60 + 60);
      return room.file.read;
    };
    expect(await large(0, sockets)).toBe(5_000);
    expect(await large(90, sockets)).toBe(5_000);
    expect(await large(95, new Sockets(), 0)).toBe(0);
    expect(kv.get("told")).toMatchObject({ users: 0, count: { rows: 5_000 } });
  });

  it("are not counted again where a report has them", async () => {
    const { kv, sockets } = await slept();
    const kept = { ...sockets };
    await wake(kv, 31, sockets, 2);
    Object.assign(sockets, kept);
    const { news } = await wake(kv, 62, sockets);
    expect(news).toEqual([{ ...ZERO_COUNTERS, in: 1, wakes: 1 }]);
  });

  it("have their report noted beside the socket, unless its users are others than in the row", async () => {
    const { kv, sockets } = await slept();
    const told = kv.get("told");
    expect((await wake(kv, 31, sockets)).at()).toEqual([1_860]);
    expect(kv.get("told")).toBe(told);
    expect((await wake(kv, 45, sockets)).at()).toEqual([]);
    expect((await wake(kv, 62, sockets)).news).toEqual([{ ...ZERO_COUNTERS, in: 2, wakes: 2 }]);
    expect((await wake(kv, 64, sockets, 2)).at()).toEqual([3842]);
    expect(kv.get("told")).toMatchObject({ at: START + 3_842 * SECOND, users: 2 });
  });

  it("are not taken for newer than a report that came after the clock was set back", async () => {
    const { kv, sockets } = await slept();
    await wake(kv, 31, sockets);
    await wake(kv, 33, sockets);
    expect((await wake(kv, 10, sockets, 2)).news).toEqual([{ ...ZERO_COUNTERS, in: 2, wakes: 2 }]);
    expect((await wake(kv, 45, sockets, 2)).news).toEqual([{ ...ZERO_COUNTERS, in: 1, wakes: 1 }]);
  });

  it("wait until a connection is open, which enters where the index has as many already", async () => {
    const [kv, sockets] = [new Map<string, unknown>(), new Sockets()];
    await wake(kv, 0, sockets);
    const told = kv.get("told");
    sockets.isFull = true;
    const room = object(kv, START + 120 * SECOND, sockets);
    room.reports.entered();
    await room.until(121);
    sockets.isFull = false;
    room.say();
    await room.until(300);
    expect([room.told, room.alarms, kv.get("told")]).toEqual([[], 0, told]);
    expect(sockets.counts?.counts?.counted).toMatchObject({ in: 1, wakes: 1 });
    const fuller = object(kv, START + 400 * SECOND, sockets);
    fuller.crowd.users = 2;
    fuller.reports.entered();
    expect(fuller.reports.due()).toBe(START + 402 * SECOND);
  });

  it("are lost in a crash, after which the row still tells whether the index has the users", async () => {
    const { kv, sockets } = await slept();
    await wake(kv, 31, sockets);
    const same = object(kv, START + 2_000 * SECOND, new Sockets());
    same.reports.run(START + 2_000 * SECOND);
    const fewer = object(kv, START + 2_000 * SECOND, new Sockets());
    Object.assign(fewer.crowd, { sockets: 0, connections: 0, users: 0 });
    fewer.reports.run(START + 2_000 * SECOND);
    await Promise.all([same.state.pending, fewer.state.pending]);
    expect([same.told.length, fewer.told.length]).toEqual([0, 1]);
  });
});

describe("an active object", () => {
  /** A message a second for so many seconds, from a wake at `from` on; `alarms`: how often one rang. */
  async function talk(room: ReturnType<typeof object>, from: number, seconds: number, each = 1) {
    for (let second = from; second < from + seconds; second++) {
      // oxlint-disable-next-line no-await-in-loop -- time passes
      await room.until(second);
      for (let n = 0; n < each; n++) {
        room.say();
        // oxlint-disable-next-line no-await-in-loop -- the next one comes when this is over
        await room.state.pending;
      }
    }
  }

  it("keeps its counts beside a socket between its reports, which come once a minute", async () => {
    const room = object(new Map(), START, new Sockets());
    await talk(room, 0, 150);
    await room.until(3_600);
    expect(room.at()).toEqual([2, 62, 122, 182]);
    expect(room.alarms).toBe(4);
    expect(room.told.at(-1)![1].counted.in).toBe(150);
    expect(room.reports.due()).toBeUndefined();
  });

  it("loses nothing when it sleeps between two reports, and an alarm reports it", async () => {
    const [kv, sockets] = [new Map<string, unknown>(), new Sockets()];
    const before = object(kv, START, sockets);
    await talk(before, 0, 30);
    const due = before.reports.due()!;
    const woken = object(kv, due, sockets);
    expect([due, woken.reports.due()]).toEqual([START + 62 * SECOND, START + 62 * SECOND]);
    woken.reports.run(due);
    await woken.state.pending;
    expect(woken.told[0]![1]).toMatchObject({ wake: `w${START}`, counted: { in: 30, wakes: 1 } });
    expect(woken.news).toEqual([{ ...ZERO_COUNTERS, in: 30 - before.news[0]!.in }]);
  });

  it("goes on after a sleep, with the report that was due before it", async () => {
    const [kv, sockets] = [new Map<string, unknown>(), new Sockets()];
    await talk(object(kv, START, sockets), 0, 20);
    const woken = object(kv, START + 40 * SECOND, sockets);
    await talk(woken, 40, 10);
    expect([woken.told, woken.reports.due()]).toEqual([[], START + 62 * SECOND]);
    await woken.until(62);
    expect(woken.told[0]![1].counted).toMatchObject({ in: 30, wakes: 2 });
  });

  it("looks each eight seconds where it is too active to keep its counts after each message", async () => {
    const sockets = new Sockets();
    const room = object(new Map(), START, sockets);
    const kept = vi.spyOn(sockets, "keep");
    await talk(room, 0, 30, 20);
    expect(room.reports.due()! - (START + 29 * SECOND)).toBeLessThan(10 * SECOND);
    await room.until(3_600);
    expect([room.at(), room.told.at(-1)![1].counted.in]).toEqual([[2, 62], 600]);
    expect(kept.mock.calls.length).toBeLessThan(20);
  });

  it("does the same from the message on for which no socket has room, and reports what one had", async () => {
    const [kv, sockets] = [new Map<string, unknown>(), new Sockets()];
    const room = object(kv, START, sockets);
    await talk(room, 0, 10);
    sockets.isFull = true;
    await talk(room, 10, 5);
    const told = kv.get("told");
    expect(room.reports.due()! - (START + 14 * SECOND)).toBeLessThan(10 * SECOND);
    await room.until(40);
    expect(kv.get("told")).not.toBe(told);
    expect(room.told.at(-1)![1].counted.in).toBe(15);
  });

  it("keeps counts again after a report that was on its way", async () => {
    const room = object(new Map(), START, new Sockets());
    await talk(room, 0, 62);
    const { promise, resolve } = Promise.withResolvers<void>();
    room.state.delay = promise;
    await room.until(61);
    room.reports.run(START + 62 * SECOND);
    room.say();
    await Promise.resolve();
    resolve();
    room.state.delay = undefined;
    await talk(room, 63, 57);
    await room.until(3_600);
    expect(room.told.at(-1)![1].counted.in).toBe(120);
    expect(room.alarms).toBeLessThan(8);
  });

  it("is sending until the last of its reports is there", async () => {
    const room = object();
    const slow = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    room.state.delay = slow[0]!.promise;
    room.say();
    room.reports.run(room.reports.due()!);
    room.state.delay = slow[1]!.promise;
    room.say();
    for (let check = 0; check < 2; check++) room.reports.run(room.reports.due()!);
    slow[0]!.resolve();
    await vi.waitUntil(() => room.told.length === 1);
    expect(room.reports.isSending).toBe(true);
    slow[1]!.resolve();
    await vi.waitUntil(() => !room.reports.isSending);
    expect(room.told).toHaveLength(2);
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
  expect(await wake(1_500, waiting)).toEqual([]);
  expect(await wake(1_810, waiting)).toEqual([[0, waiting, 3]]);
  expect(await wake(2_110)).toEqual([[2, undefined, 1]]);
  expect(kv.get("told")).toMatchObject({ ...none, waiting: undefined });
});

it("webhook events that are sent one after the other cost a row for each only where they are few", async () => {
  const [kv, sockets] = [new Map<string, unknown>(), new Sockets()];
  sockets.isFull = true;
  const put = vi.spyOn(kv, "set");
  const room = object(kv, START, sockets);
  room.say();
  await room.until(10);
  put.mockClear();
  for (let second = 10; second < 70; second++)
    for (let batch = 0; batch < 10; batch++) {
      room.reports.counters.in++;
      room.reports.note(true);
      // oxlint-disable-next-line no-await-in-loop -- one batch after another
      await room.until(second + batch / 10);
    }
  await room.until(100);
  expect(put.mock.calls.length).toBeLessThan(40);
  expect(room.told.at(-1)![1].counted.in).toBe(601);
});
