// The checkpoint of a room with rare publications; that of a busy one: followers.test.ts.

import { expect, it, onTestFinished, vi } from "vitest";
import type { Entry } from "../../../src/rooms/rpc/log-entry.ts";
import { withStorage } from "../storage.ts";
import { followed } from "./followed.ts";

/** The room has been quiet for long: its next publication is a rare one. */
function quiet(storage: DurableObjectStorage, all: Entry[] = []) {
  const room = followed(storage, all);
  room.clock.now = 1_000_000;
  return room;
}

const settledIn = (storage: DurableObjectStorage) => storage.kv.get("settled");

it("a rare publication is saved as confirmed by the last of the followers, without an alarm for it", () =>
  withStorage(async (storage) => {
    const { followers, say, reply, alarms, all } = quiet(storage);
    followers.add("F", []);
    followers.add("G", []);
    say(1);
    expect([alarms, followers.due()]).toEqual([[2_200_000], 2_200_000]);
    reply("taken");
    await expect.poll(() => followers.links.get("F")!.confirmedOffset).toBe(1);
    expect(settledIn(storage)).toBeUndefined();
    reply("taken");
    await expect.poll(() => settledIn(storage)).toBe(1);
    expect(followers.due()).toBeUndefined();
    // A wake sends nothing.
    expect(followed(storage, all).followers.due()).toBeUndefined();
  }));

it("a rare publication of a follower comes to it in a batch, whose reply confirms it", () =>
  withStorage(async (storage) => {
    const { followers, publishAs, reply, batches } = quiet(storage);
    followers.add("F", []);
    expect(await publishAs("F", 0)).toBeUndefined();
    expect(batches()).toEqual([[1]]);
    reply("taken");
    await expect.poll(() => settledIn(storage)).toBe(1);
  }));

it("a publication that another one follows is saved with that by the checkpoint", () =>
  withStorage(async (storage) => {
    const { followers, say, reply, alarms, batches, clock } = quiet(storage);
    followers.add("F", []);
    say(1);
    clock.now += 1_000;
    say(1);
    expect(alarms).toEqual([2_200_000, 1_006_000]);
    reply("taken");
    await expect.poll(batches).toEqual([[1], [2]]);
    reply("taken");
    await expect.poll(() => followers.links.get("F")!.confirmedOffset).toBe(2);
    expect(settledIn(storage)).toBeUndefined();
    clock.now = 1_006_000;
    await followers.run(clock.now);
    expect([settledIn(storage), followers.due()]).toEqual([2, undefined]);
  }));

it("a publication that a crash cut off is sent by an alarm, also if no wake comes before", () =>
  withStorage(async (storage) => {
    const before = quiet(storage);
    before.followers.add("F", []);
    before.say(1);
    const { followers, batches, reply } = quiet(storage, before.all);
    const ran = followers.run(followers.due()!);
    expect(batches()).toEqual([[1]]);
    reply("taken");
    await ran;
    expect(settledIn(storage)).toBe(1);
  }));

it("a rare publication whose checkpoint cannot be written is saved by the next alarm", () =>
  withStorage(async (storage) => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => logged.mockRestore());
    const saveSettled = vi.fn<() => boolean>(() => true);
    saveSettled.mockImplementationOnce(() => {
      throw new Error("The disk is full.");
    });
    const keeper = { settled: undefined, expectSettled() {}, cancelSettled() {}, saveSettled };
    const { followers, say, reply, clock } = followed(storage, [], { beside: keeper });
    clock.now = 1_000_000;
    followers.add("F", []);
    say(1);
    reply("taken");
    await expect.poll(() => followers.due()).toBe(1_005_000);
    expect(logged).toHaveBeenCalledOnce();
    clock.now = 1_005_000;
    await followers.run(clock.now);
    expect(saveSettled.mock.calls).toEqual([
      [{ epoch: "e", offset: 1 }],
      [{ epoch: "e", offset: 1 }],
    ]);
    expect(followers.due()).toBeUndefined();
  }));

it("is not taken from another epoch", () =>
  withStorage(async (storage) => {
    const keeper = (epoch: string) => ({
      ...{ settled: { epoch, offset: 1 }, saveSettled: () => true },
      expectSettled() {},
      cancelSettled() {},
    });
    const before = followed(storage);
    before.followers.add("F", []);
    before.say(1);
    const wake = (epoch: string) => followed(storage, before.all, { beside: keeper(epoch) });
    expect(wake("e").followers.due()).toBeUndefined();
    expect(wake("f").followers.due()).toBe(1_000);
  }));
