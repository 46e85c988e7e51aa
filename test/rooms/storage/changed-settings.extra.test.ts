// Objects that wake in a deploy with other settings than the one before, or without their hub: what they have stored is
// not lost, also where that deploy is rolled back.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Durability, RoomSettings } from "../../../src/model/options.ts";
import type { Receiver } from "../../../src/rooms/object/host.ts";
import { roomAt } from "../client.ts";
import { NOTHING, storedIn } from "../../support/stored.ts";
import { act, newRoom, pass, ran, steeredByClock, wholeOf } from "../state/steered-room.ts";

steeredByClock();

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What the test has changed of all objects' receiver, and how it is put back, in order. */
const undo: (() => void)[] = [];
afterEach(() => {
  for (const back of undo.splice(0).toReversed()) back();
});

const receiverOf = (name: string): Promise<Mutable<Receiver>> =>
  runInDurableObject(
    roomAt(name),
    (room) => (room as unknown as { receiver: Mutable<Receiver> }).receiver,
  );

/** The next wake finds the hub with these settings. */
async function deploy(name: string, change: Partial<RoomSettings>): Promise<void> {
  const receiver = await receiverOf(name);
  const settings = receiver.settings(name.split("/")[0]!)!;
  const before = { ...settings };
  undo.push(() => Object.assign(settings, before));
  Object.assign(settings, change);
  await evictDurableObject(roomAt(name));
}

const withDurability = (name: string, durability: Durability) => deploy(name, { durability });

it.each<[Durability, Durability]>([
  ["logged", "none"],
  ["none", "logged"],
  ["logged", "behind"],
])(
  "a state is the same after a deploy from %s to %s, and after changes there",
  async (from, to) => {
    const logged = vi.spyOn(console, "error");
    const name = newRoom("odd");
    await withDurability(name, from);
    for (let n = 0; n < 5; n++) await act(name, "add", 1);
    await withDurability(name, to);
    expect(await wholeOf(name)).toMatchObject({ count: 5 });
    for (let n = 0; n < 2; n++) await act(name, "add", 1);
    await evictDurableObject(roomAt(name));
    expect(await wholeOf(name)).toMatchObject({ count: 7 });
    await withDurability(name, from);
    await act(name, "add", 1);
    await evictDurableObject(roomAt(name));
    expect(await wholeOf(name)).toMatchObject({ count: 8 });
    expect(logged).not.toHaveBeenCalled();
  },
);

it("a state has what is done after the loss of the log", async () => {
  const logged = vi.spyOn(console, "error");
  const name = newRoom("odd");
  for (let n = 0; n < 5; n++) await act(name, "add", 1);
  const drop = "DROP TABLE log";
  await runInDurableObject(roomAt(name), (_, { storage }) => void storage.sql.exec(drop));
  await evictDurableObject(roomAt(name));
  expect(await wholeOf(name)).toMatchObject({ count: 1 });
  await act(name, "add", 1);
  await evictDurableObject(roomAt(name));
  expect(await wholeOf(name)).toMatchObject({ count: 2 });
  expect(logged).toHaveBeenCalledWith(expect.stringContaining("storage_corrupt"));
});

it("answers of runs are known after a deploy to a log without entries", async () => {
  const name = newRoom("odd");
  const run = { action: "add", args: [1], key: "once" };
  await ran(name, run);
  await withDurability(name, "none");
  expect(await ran(name, run)).toEqual({ result: 1, repeated: true });
});

it("a log that kept nothing for a time recovers nobody across that time, and no message of before is left", async () => {
  const name = "relayed/group:unlogged-for-a-time";
  const before = await roomAt(name).publish({ target: "said", params: '["before"]' });
  await withDurability(name, "none");
  await roomAt(name).publish({ target: "said", params: '["unlogged"]' });
  await withDurability(name, "logged");
  expect(await roomAt(name).missed(before)).toMatchObject({ entries: [], recovered: false });
  expect((await roomAt(name).history({})).entries).toEqual([]);
});

const HOUR = 3_600;
const DAY = 24 * HOUR;
/** What a deploy may not know. */
const UNKNOWN = {
  "its hub": ["settings", "state"],
  "its state": ["state"],
} as const;

/** The next wake finds a deploy that does not know it. The function that is returned rolls forward. */
async function rollBack(name: string, what: keyof typeof UNKNOWN): Promise<() => Promise<void>> {
  const receiver = await receiverOf(name);
  const before = { ...receiver };
  const forward = () => void Object.assign(receiver, before);
  undo.push(forward);
  for (const member of UNKNOWN[what]) receiver[member] = () => undefined;
  await evictDurableObject(roomAt(name));
  return async () => {
    forward();
    await evictDurableObject(roomAt(name));
  };
}

/** With changes that the log alone has, and an action that is due in twelve hours. */
async function scheduledRoom(): Promise<string> {
  const name = newRoom("odd");
  for (let n = 0; n < 5; n++) await act(name, "add", 1);
  await act(name, "later", 12 * HOUR, 1);
  await pass(name, 10, 5);
  return name;
}

describe.each(["its hub", "its state"] as const)("a deploy that does not know %s", (what) => {
  it("keeps a room's state for a roll-forward, which does what was due meanwhile", async () => {
    const name = await scheduledRoom();
    const forward = await rollBack(name, what);
    await pass(name, 2 * DAY, HOUR);
    await forward();
    expect(await wholeOf(name)).toMatchObject({ count: 5 });
    await pass(name, DAY, HOUR);
    expect(await wholeOf(name)).toMatchObject({ count: 6 });
  });

  it("keeps it for a month, and begins to count anew after a roll-forward", async () => {
    const name = await scheduledRoom();
    const forward = await rollBack(name, what);
    await pass(name, 20 * DAY, 6 * HOUR);
    await forward();
    await pass(name, 15 * DAY, 6 * HOUR);
    await act(name, "later", 60 * DAY, 1);
    await rollBack(name, what);
    await pass(name, 20 * DAY, 6 * HOUR);
    expect((await storedIn(roomAt(name))).tables).toBeGreaterThan(0);
    await pass(name, 20 * DAY, 6 * HOUR);
    expect(await storedIn(roomAt(name))).toEqual(NOTHING);
  });
});

it("messages are kept while their hub is not served", async () => {
  const name = "relayed/group:unserved";
  await deploy(name, { history: { size: 100, ttlSeconds: 30 * DAY } });
  await roomAt(name).publish({ target: "said", params: '["kept"]' });
  await pass(name, 10, 5);
  const forward = await rollBack(name, "its hub");
  await pass(name, DAY, HOUR);
  await forward();
  expect((await roomAt(name).history({})).entries).toHaveLength(1);
});

it("a service erases a state that the deploy does not know", async () => {
  const name = await scheduledRoom();
  const forward = await rollBack(name, "its state");
  await roomAt(name).erase();
  await forward();
  expect(await wholeOf(name)).toEqual({ count: 0, notes: {} });
  expect(await roomAt(name).schedule()).toEqual([]);
});
