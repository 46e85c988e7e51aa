// When an object tells its hub's index how things are: soon, each minute while it goes on, before it sleeps; and never
// while it is idle. The clock is the test's.

import { afterEach, describe, expect, it, vi } from "vitest";
import { ZERO_COUNTERS } from "../../../src/rooms/observe/counters.ts";
import type { Report } from "../../../src/rooms/rpc/activity-report.ts";
import { object, SECOND, START } from "./reporting-object.ts";

afterEach(() => void vi.restoreAllMocks());

it("one message is told two seconds later, and then no alarm is due", async () => {
  const room = object();
  room.say();
  await room.until(3_600);
  expect(room.at()).toEqual([2]);
  expect(room.told[0]![1]).toMatchObject({ sockets: 1, counted: { in: 1, wakes: 1 } });
  expect(room.reports.due()).toBeUndefined();
});

it("who talks on tells once a minute, and all that was said once it rests", async () => {
  const room = object();
  for (let second = 0; second < 150; second++) {
    // oxlint-disable-next-line no-await-in-loop -- time passes
    await room.until(second);
    room.say();
  }
  await room.until(3_600);
  expect(room.at()[0]).toBe(2);
  const pauses = room
    .at()
    .slice(1, -1)
    .map((at, i) => at - room.at()[i]!);
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(60);
  expect(room.at()).toHaveLength(4);
  expect(room.told.at(-1)![1].counted.in).toBe(150);
  expect(room.at().at(-1)).toBeLessThan(150 + 2 * 8 + 1);
  expect(room.reports.due()).toBeUndefined();
  expect(room.news.reduce((sum, one) => sum + one.in, 0)).toBe(150);
});

it("a room in which others publish is not at rest, though nobody here says or hears anything", async () => {
  const room = object();
  for (let second = 0; second < 150; second++) {
    // oxlint-disable-next-line no-await-in-loop -- time passes
    await room.until(second);
    room.published++;
    room.reports.note();
  }
  await room.until(3_600);
  expect(room.at()).toHaveLength(4);
  expect(room.at()[1]).toBeGreaterThanOrEqual(60);
});

it("a check that is nearly due goes with another duty's alarm", async () => {
  const room = object();
  room.say();
  await room.until(2);
  room.say();
  expect(room.reports.due()).toBe(START + 10 * SECOND);
  room.reports.run(START + 6 * SECOND);
  expect(room.reports.due()).toBe(START + 10 * SECOND);
  room.reports.run(START + 7 * SECOND);
  expect(room.reports.due()).toBe(START + 15 * SECOND);
});

it("a report that failed is not saved once more with each alarm that comes shortly before the next attempt", async () => {
  const room = object();
  room.state.fails = true;
  room.say();
  await room.until(2);
  const kept = room.kv.get("told");
  room.reports.run(START + 60 * SECOND);
  room.reports.run(START + 61 * SECOND);
  expect(room.kv.get("told")).toBe(kept);
  room.state.fails = false;
  await room.until(62);
  expect(room.at()).toEqual([62]);
});

it("looks again before a quiet object sleeps, ten seconds after its last word", async () => {
  const room = object();
  room.say();
  await room.until(5);
  room.say();
  expect(room.reports.due()! - (START + 5 * SECOND)).toBeLessThan(10 * SECOND);
});

it("what could not be told is told a minute later, all of it", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const room = object();
  room.say();
  room.state.fails = true;
  await room.until(2);
  room.say();
  room.state.fails = false;
  await room.until(3_600);
  expect(room.told.at(-1)![1].counted.in).toBe(2);
  expect(room.news).toEqual([{ ...ZERO_COUNTERS, in: 2, wakes: 1 }]);
  expect(room.at()).toEqual([62]);
});

describe("a report that fails before the object sleeps", () => {
  /** An object sleeps after these messages, with no report since the first `told` of them. */
  async function asleep(told: readonly number[], failed: readonly number[]) {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const room = object();
    for (const [fails, times] of [[false, told] as const, [true, failed] as const])
      for (const second of times) {
        // oxlint-disable-next-line no-await-in-loop -- time passes
        await room.until(second);
        room.say();
        room.state.fails = fails;
        // oxlint-disable-next-line no-await-in-loop -- until the check before the sleep
        await room.until(second + 9);
      }
    return room;
  }

  it("is sent by the alarm for the next attempt, with what was counted behind it", async () => {
    const before = await asleep([0], [10, 25, 40]);
    const woken = object(before.kv, before.reports.due());
    woken.reports.run(before.reports.due()!);
    const { wake, counted } = woken.told[0]![1];
    expect([before.told.length, woken.told.length]).toEqual([1, 1]);
    expect([wake, counted.in]).toEqual([`w${START}`, 4]);
    await woken.state.pending;
    expect(woken.news).toEqual([{ ...ZERO_COUNTERS, in: 3 }]);
  });

  it("is sent with the first message of the next wake, and that was never reported before", async () => {
    const before = await asleep([], [0]);
    const woken = object(before.kv, START + 20 * SECOND);
    woken.say();
    await woken.until(600);
    expect([before.told, woken.at()]).toEqual([[], [22]]);
    expect(woken.told[0]![1]).toMatchObject({ wake: `w${START}`, counted: { in: 2, wakes: 2 } });
    expect(woken.reports.due()).toBeUndefined();
  });
});

it("an alarm after sleep tells nothing where nothing changed, and who is there where somebody did", async () => {
  const before = object();
  before.say();
  await before.until(10);
  const woken = object(before.kv, START + 120 * SECOND);
  woken.reports.run(START + 120 * SECOND);
  expect(woken.told).toEqual([]);
  woken.crowd.users = 2;
  woken.reports.run(START + 120 * SECOND);
  expect(woken.told).toHaveLength(1);
  woken.reports.run(START + 120 * SECOND);
  await woken.state.pending;
  expect(woken.reports.due()).toBeUndefined();
});

it("who only has connections says so each six hours, and who has none says nothing", async () => {
  const before = object();
  before.say();
  await before.until(10);
  const at = START + (6 * 3_600 + 2) * SECOND;
  const woken = object(before.kv, at);
  woken.reports.run(at - SECOND);
  expect(woken.told).toEqual([]);
  woken.reports.run(at);
  await woken.state.pending;
  expect(woken.told).toHaveLength(1);
  woken.reports.run(at + 120 * SECOND);
  expect(woken.told).toHaveLength(1);

  const empty = object();
  Object.assign(empty.crowd, { sockets: 0, connections: 0, users: 0 });
  empty.say();
  await empty.until(10);
  const emptied = object(empty.kv, at);
  Object.assign(emptied.crowd, { sockets: 0, connections: 0, users: 0 });
  emptied.reports.run(at);
  expect(emptied.told).toEqual([]);
});

describe("a message in an object that sleeps between messages", () => {
  /** An object that has reported one message. */
  async function reported(kv = new Map<string, unknown>()) {
    const first = object(kv);
    first.say();
    await first.until(10);
    return kv;
  }

  /** A wake for so many messages, so long after the start. */
  async function wake(kv: Map<string, unknown>, minutes: number, messages = 1) {
    const room = object(kv, START + minutes * 60 * SECOND);
    for (let n = 0; n < messages; n++) {
      room.say();
      // oxlint-disable-next-line no-await-in-loop -- the next one comes when this is over
      await room.state.pending;
    }
    await room.until(minutes * 60 + 60);
    return room;
  }

  it("is saved, and is due for no alarm", async () => {
    const room = await wake(await reported(), 2);
    expect([room.told, room.reports.due()]).toEqual([[], undefined]);
  });

  it("is reported with that of a later wake, once half an hour has passed", async () => {
    const kv = await reported();
    await wake(kv, 2);
    await wake(kv, 6);
    const { told, news } = await wake(kv, 31);
    expect(told.map(([, { counted }]) => counted)).toEqual([{ ...ZERO_COUNTERS, in: 3, wakes: 3 }]);
    expect(news).toEqual([{ ...ZERO_COUNTERS, in: 3, wakes: 3 }]);
  });

  it("is reported with an alarm, which is no wake of its own", async () => {
    const kv = await reported();
    await wake(kv, 2);
    const swept = object(kv, START + 29 * 60 * SECOND);
    swept.reports.run(START + 29 * 60 * SECOND);
    expect(swept.told).toEqual([]);
    swept.reports.run(START + 31 * 60 * SECOND);
    expect(swept.told[0]![1].counted).toEqual({ ...ZERO_COUNTERS, in: 1, wakes: 1 });
  });

  it("is counted once, whether or not the object learns that the index has its report", async () => {
    const kv = await reported();
    const { saved } = (await wake(kv, 2)).kv.get("told") as { saved: Report };
    const before = new Map(kv);
    const { told } = await wake(kv, 31);
    const again = await wake(before, 32);
    expect(again.told[0]![1]).toMatchObject({ wake: saved.wake, counted: { in: 2 } });
    expect(told[0]![1]).toMatchObject({ wake: saved.wake, counted: { in: 2 } });
  });

  it("is reported before the object sleeps, where others follow it", async () => {
    const { told } = await wake(await reported(), 2, 2);
    expect(told.map(([seconds]) => seconds)).toEqual([128]);
    expect(told[0]![1].counted.in).toBe(2);
  });

  it("is reported soon, where somebody has come or gone", async () => {
    const kv = await reported();
    const room = object(kv, START + 120 * SECOND);
    room.crowd.users = 2;
    room.say();
    await room.until(200);
    expect(room.at()).toEqual([122]);
  });

  it("is reported soon, where nobody is connected: the object may end", async () => {
    const kv = new Map<string, unknown>();
    const empty = object(kv);
    Object.assign(empty.crowd, { sockets: 0, connections: 0, users: 0 });
    empty.say();
    await empty.until(10);
    const room = object(kv, START + 120 * SECOND);
    Object.assign(room.crowd, { sockets: 0, connections: 0, users: 0 });
    room.say();
    await room.until(200);
    expect(room.at()).toEqual([122]);
  });

  it("is reported soon, where its handler is not over in moments", async () => {
    const room = object(await reported(), START + 120 * SECOND);
    room.state.isSettled = false;
    room.say();
    await room.until(200);
    expect(room.at()).toEqual([122]);
  });

  it("is reported soon, where it cannot be saved", async () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    const kv = await reported();
    vi.spyOn(kv, "set").mockImplementationOnce(() => {
      throw new Error("disk");
    });
    const room = object(kv, START + 120 * SECOND);
    room.say();
    await room.until(300);
    expect(warned).toHaveBeenCalledOnce();
    expect(room.at()).toEqual([180]);
  });
});

/** A message a second, until then. */
async function talk(room: ReturnType<typeof object>, from: number, until: number) {
  for (let second = from; second < until; second++) {
    // oxlint-disable-next-line no-await-in-loop -- time passes
    await room.until(second);
    room.say();
  }
}

const rowsIn = ({ told }: ReturnType<typeof object>) => told.map(([, { stored }]) => stored?.rows);

it("reads a row a second at most to count them, however many there are", async () => {
  const room = object();
  room.file.rows = 1_000;
  await talk(room, 0, 900);
  room.file.rows = 1_010;
  await talk(room, 900, 1_200);
  expect(room.told.length).toBeGreaterThanOrEqual(18);
  expect(room.file.read).toBe(2_010);
  expect([...new Set(rowsIn(room))]).toEqual([1_000, 1_010]);
});

it("counts few rows with each report", async () => {
  const room = object();
  await talk(room, 0, 90);
  room.file.rows = 30;
  await talk(room, 90, 180);
  expect(rowsIn(room).at(-1)).toBe(30);
});

it("counts again once the file has grown or shrunk by more than an eighth", async () => {
  const room = object();
  Object.assign(room.file, { rows: 10_000, bytes: 800_000 });
  await talk(room, 0, 10);
  Object.assign(room.file, { rows: 11_000, bytes: 900_000 });
  await talk(room, 10, 80);
  Object.assign(room.file, { rows: 11_100, bytes: 904_096 });
  await talk(room, 80, 150);
  Object.assign(room.file, { rows: 5_000, bytes: 500_000 });
  await talk(room, 150, 220);
  expect(rowsIn(room)).toEqual([10_000, 10_000, 11_100, 5_000]);
});

it("remembers over a sleep what it has counted, and not over the end of its storage", async () => {
  const kv = new Map<string, unknown>();
  const before = object(kv);
  before.file.rows = 1_000;
  before.say();
  await before.until(60);
  const after = object(kv, START + 60 * SECOND);
  after.file.rows = 1_001;
  after.say();
  await after.state.pending;
  after.say();
  await after.until(120);
  expect([after.file.read, rowsIn(after)]).toEqual([0, [1_000]]);
  after.reports.forget();
  kv.clear();
  after.say();
  await after.until(240);
  expect(rowsIn(after).at(-1)).toBe(1_001);
});
