// The room's side of a follow link, with followers that answer when the test says so.

import { describe, expect, it } from "vitest";
import { Followers } from "../../../src/rooms/room/followers.ts";
import type { RoomLog } from "../../../src/rooms/log/room-log.ts";
import type { Delivery, DeliveryReply, RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import type { Entry } from "../../../src/rooms/rpc/log-entry.ts";
import { entries, offsets, range, withStorage } from "../storage.ts";

function followed(storage: DurableObjectStorage, all: Entry[] = [], first = "e") {
  let epoch = first;
  const log = {
    get position() {
      return { epoch, offset: all.length };
    },
    after: (offset: number) => (offset < 0 ? undefined : all.slice(offset)),
  } as RoomLog;
  const delivered: Delivery[] = [];
  const replies: ((reply: DeliveryReply) => void)[] = [];
  const gone: string[] = [];
  const deliver = (delivery: Delivery) => {
    delivered.push(delivery);
    return new Promise<DeliveryReply>((resolve) => replies.push(resolve));
  };
  const followers = new Followers({
    room: "group:followed",
    storage,
    log,
    hasLostEntries: false,
    isInMemory: false,
    now: () => 1_000,
    arm() {},
    waitUntil() {},
    removed: (follower) => gone.push(follower),
    stubs: () => ({ deliver }) as Partial<RoomRpc> as RoomRpc,
  });
  const say = (count: number, more?: Partial<Entry>) => {
    const said = entries(all.length + 1, all.length + count, more);
    all.push(...said);
    followers.publish(said);
  };
  const reply = (kind: "taken" | "gone") => replies.shift()!({ kind });
  const erase = () => {
    epoch = "f";
    all.length = 0;
    followers.restart();
  };
  return {
    followers,
    say,
    reply,
    erase,
    gone,
    all,
    resets: () => delivered.map(({ epoch: of, reset }) => `${of}${reset ? " reset" : ""}`),
    batches: () => delivered.map((one) => offsets(one.entries)),
  };
}

describe("a room's followers", () => {
  it("that answer gone are taken off, and hear nothing more", () =>
    withStorage(async (storage) => {
      const { followers, say, reply, gone, batches } = followed(storage);
      followers.add("F", [["alice", 1]]);
      say(1);
      reply("gone");
      await expect.poll(() => gone).toEqual(["F"]);
      say(1);
      expect([followers.links.size, batches()]).toEqual([0, [[1]]]);
    }));

  it("stay where they follow anew while their gone is on its way, and get the batch again", () =>
    withStorage(async (storage) => {
      const { followers, say, reply, gone, batches } = followed(storage);
      followers.add("F", [["alice", 1]]);
      say(1);
      followers.add("F", [["bob", 1]]);
      reply("gone");
      await expect.poll(batches).toEqual([[1], [1]]);
      reply("taken");
      say(1);
      await expect.poll(batches).toEqual([[1], [1], [2]]);
      expect([followers.links.size, gone]).toEqual([1, []]);
    }));

  it("get no more in one batch than an RPC carries, and at least one entry", () =>
    withStorage(async (storage) => {
      const { followers, say, reply, batches } = followed(storage);
      followers.add("F", []);
      const params = JSON.stringify(["x".repeat(1024 * 1024 - 4)]);
      say(9, { params });
      say(1, { params: JSON.stringify(["x".repeat(5 * 1024 * 1024)]) });
      say(500);
      const expected = [range(1, 4), range(5, 8), [9], [10], range(11, 510)];
      for (const count of range(1, expected.length)) {
        await expect.poll(batches).toHaveLength(count);
        reply("taken");
      }
      expect(batches()).toEqual(expected);
    }));

  it("are told that the log began anew after a batch of the old one that was on its way", () =>
    withStorage(async (storage) => {
      const { followers, say, reply, erase, batches, resets } = followed(storage);
      followers.add("F", []);
      say(5);
      erase();
      reply("taken");
      await expect.poll(resets).toEqual(["e", "f reset"]);
      say(2);
      reply("taken");
      await expect.poll(batches).toEqual([[1, 2, 3, 4, 5], [], [1, 2]]);
    }));

  it("hear what is said while they are told that the log began anew", () =>
    withStorage(async (storage) => {
      const { followers, say, reply, erase, batches } = followed(storage);
      followers.add("F", []);
      erase();
      say(2);
      reply("taken");
      await expect.poll(batches).toEqual([[], [1, 2]]);
    }));

  it("are told that the log began anew also where a crash came before they were", () =>
    withStorage(async (storage) => {
      const before = followed(storage);
      before.say(5);
      before.followers.add("F", []);
      before.erase();
      before.say(2);
      const { followers, batches, resets } = followed(storage, before.all, "f");
      followers.run(10_000);
      await expect.poll(resets).toEqual(["f reset"]);
      expect(batches()).toEqual([[]]);
    }));
});
