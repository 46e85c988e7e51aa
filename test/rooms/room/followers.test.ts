// The room's side of a follow link, with followers that answer when the test says so.

import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { DEFAULTS } from "../../../src/model/options.ts";
import { offsets, range, withStorage } from "../storage.ts";
import { followed } from "./followed.ts";

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
      const { followers, batches, resets } = followed(storage, before.all, { first: "f" });
      followers.run(10_000);
      await expect.poll(resets).toEqual(["f reset"]);
      expect(batches()).toEqual([[]]);
    }));
});

describe("a follower that cannot be reached", () => {
  beforeEach(() => {
    const logged = vi.spyOn(console, "warn").mockImplementation(() => {});
    onTestFinished(() => logged.mockRestore());
  });

  it("gets the batch again by alarms after growing pauses, and nothing in between", () =>
    withStorage(async (storage) => {
      const { followers, say, fail, reply, alarms, batches, clock } = followed(storage);
      followers.add("F", []);
      say(1);
      for (const [failures, pauseMs] of [1_000, 2_000, 5_000].entries()) {
        fail();
        const dueAt = clock.now + pauseMs;
        await expect.poll(() => alarms.at(-1)).toBe(dueAt);
        expect(followers.due()).toBeLessThanOrEqual(dueAt);
        say(1);
        clock.now = dueAt - 1;
        await followers.run(clock.now);
        expect(batches()).toHaveLength(failures + 1);
        clock.now = dueAt;
        void followers.run(clock.now);
        expect(batches().at(-1)).toEqual(range(1, failures + 2));
      }
      reply("taken");
      say(1);
      await expect.poll(batches).toHaveLength(5);
      expect(batches().at(-1)).toEqual([5]);
    }));

  it("is called again after the first pause once a batch has arrived", () =>
    withStorage(async (storage) => {
      const { followers, say, fail, reply, alarms, batches, clock } = followed(storage);
      followers.add("F", []);
      say(1);
      fail();
      await expect.poll(() => alarms.at(-1)).toBe(2_000);
      clock.now = 2_000;
      void followers.run(clock.now);
      reply("taken");
      await expect.poll(() => followers.due()).toBe(6_000);
      say(1);
      await expect.poll(batches).toEqual([[1], [1], [2]]);
      fail();
      await expect.poll(() => alarms.at(-1)).toBe(3_000);
      expect(followers.due()).toBe(3_000);
    }));

  it("gets entries from the offset on that it says it is at", () =>
    withStorage(async (storage) => {
      const { followers, say, reply, replyBehind, batches } = followed(storage);
      followers.add("F", []);
      say(3);
      replyBehind(1);
      await expect.poll(batches).toEqual([
        [1, 2, 3],
        [2, 3],
      ]);
      reply("taken");
      say(1);
      await expect.poll(batches).toHaveLength(3);
      expect(batches().at(-1)).toEqual([4]);
    }));
});

describe("a follower that publishes", () => {
  it("gets its entry with the answer, and no batch beside it", () =>
    withStorage(async (storage) => {
      const { followers, publishAs, reply, batches } = followed(storage);
      followers.add("F", []);
      followers.add("G", []);
      expect(await publishAs("F", 0)).toEqual([0, [1]]);
      // The other follower has a batch.
      expect(batches()).toEqual([[1]]);
      reply("taken");
    }));

  it("gets what others published meanwhile with it, and what comes later in a batch that follows on it", () =>
    withStorage(async (storage) => {
      const { followers, publishAs, say, batches } = followed(storage);
      followers.add("F", []);
      const [, delivery] = await followers.answer(
        { follower: "F", position: { epoch: "e", offset: 0 } },
        async () => {
          say(1);
          await Promise.resolve();
          say(1);
        },
      );
      expect(offsets(delivery!.entries)).toEqual([1, 2]);
      say(1);
      expect(batches()).toEqual([[3]]);
      // A batch is under way: the next one brings it.
      expect(await publishAs("F", 2)).toBeUndefined();
    }));

  it("gets again what an answer that was lost had brought", () =>
    withStorage(async (storage) => {
      const { followers, publishAs } = followed(storage);
      followers.add("F", []);
      expect(await publishAs("F", 0)).toEqual([0, [1]]);
      expect(await publishAs("F", 0)).toEqual([0, [1, 2]]);
      expect(await publishAs("F", 2)).toEqual([2, [3]]);
    }));

  it("gets the last answer once more by the checkpoint, which is saved with its confirmation", () =>
    withStorage(async (storage) => {
      const { followers, publishAs, reply, clock, alarms, batches, all } = followed(storage);
      followers.add("F", []);
      await publishAs("F", 0);
      await publishAs("F", 1);
      expect([alarms, batches()]).toEqual([[6_000], []]);
      clock.now = 6_000;
      const ran = followers.run(clock.now);
      expect(batches()).toEqual([[2]]);
      reply("taken");
      await ran;
      expect([followers.due(), alarms]).toEqual([undefined, [6_000]]);
      // A wake sends nothing.
      expect(followed(storage, all).followers.due()).toBeUndefined();
    }));

  it("gets the batches as ever where the room does not know it, or it speaks of another epoch", () =>
    withStorage(async (storage) => {
      const { followers, publishAs, batches } = followed(storage);
      expect(await publishAs("F", 0)).toBeUndefined();
      followers.add("F", []);
      expect(await publishAs("F", 9)).toBeUndefined();
      expect(batches()).toEqual([[2]]);
      followers.add("G", []);
      expect(await publishAs("G", 2, 1, "d")).toBeUndefined();
      expect(batches()).toEqual([[2], [3]]);
    }));
});

describe("the checkpoint of a busy room", () => {
  /** A follower takes a first message, so many more follow, and the checkpoint is due a second after the last. */
  async function busy(storage: DurableObjectStorage, more: number, history = DEFAULTS.history) {
    const room = followed(storage, [], { history });
    const { followers, say, reply, clock, batches } = room;
    followers.add("F", []);
    for (let n = 0; n <= more; n++) {
      clock.now = n === 0 ? 1_000 : 5_000;
      say(1);
      reply("taken");
      // oxlint-disable-next-line no-await-in-loop -- one message after another
      await expect.poll(() => [...followers.links.values()][0]!.confirmedOffset).toBe(n + 1);
    }
    clock.now = 6_000;
    await followers.run(clock.now);
    return { ...room, sent: batches().length };
  }

  const settledIn = (storage: DurableObjectStorage) => storage.kv.get("settled");

  it("is put off to the next one, and nothing is sent for it", () =>
    withStorage(async (storage) => {
      const { followers, clock, batches, sent } = await busy(storage, 3);
      expect([settledIn(storage), followers.due()]).toEqual([undefined, 11_000]);
      clock.now = 11_000;
      await followers.run(clock.now);
      expect([settledIn(storage), followers.due(), batches().length]).toEqual([4, undefined, sent]);
    }));

  it("sends after a crash what it has not saved", () =>
    withStorage(async (storage) => {
      const { all } = await busy(storage, 3);
      const { followers, batches } = followed(storage, all);
      await followers.run(followers.due()!);
      expect(batches()).toEqual([[1, 2, 3, 4]]);
    }));

  it("is saved before entries that a wake may have to send again are past their age", () =>
    withStorage(async (storage) => {
      const { followers } = await busy(storage, 3, { size: 100, ttlSeconds: 16 });
      expect([settledIn(storage), followers.due()]).toEqual([4, undefined]);
    }));

  it("is saved at once after a crash, though messages follow", () =>
    withStorage(async (storage) => {
      const { all } = await busy(storage, 3);
      const { clock, followers, reply, say } = followed(storage, all);
      clock.now = followers.due()!;
      say(1);
      reply("taken");
      await expect.poll(() => [...followers.links.values()][0]!.confirmedOffset).toBe(5);
      await followers.run(clock.now);
      expect([settledIn(storage), followers.due()]).toEqual([5, undefined]);
    }));

  it("is saved where a wake would have more to send again than the log is sure to have", () =>
    withStorage(async (storage) => {
      const { followers } = await busy(storage, 25);
      expect([settledIn(storage), followers.due()]).toEqual([26, undefined]);
    }));
});
