// Rooms through several deploys that know more and less of them: offsets are used once, what is kept ends, what is
// erased stays erased.

import { evictDurableObject } from "cloudflare:test";
import { expect, it, onTestFinished, vi } from "vitest";
import { FollowedRooms } from "../../../src/rooms/links/followed-rooms.ts";
import { SqliteLog } from "../../../src/rooms/log/sqlite-log.ts";
import { FollowerRows } from "../../../src/rooms/room/follower-rows.ts";
import { NOTHING, storedIn } from "../../support/stored.ts";
import { roomAt } from "../client.ts";
import { connected, relayOf } from "../relay/client.ts";
import { act, database, newRoom, pass, steeredByClock, wholeOf } from "../state/steered-room.ts";
import { DAY, deployTo, HOUR, receiverOf, rollBack, withDurability } from "./deploys.ts";

steeredByClock();

const say = (name: string, word: string) =>
  roomAt(name).publish({ target: "said", params: JSON.stringify([word]) });

it("a room whose hub has a state that it has not begun uses no offset twice", async () => {
  const name = newRoom("odd");
  await say(name, "logged");
  await withDurability(name, "none");
  await say(name, "unlogged");
  const { epoch, offset } = await say(name, "unlogged, too");
  await withDurability(name, "logged");
  for (let n = 0; n < 3; n++) await say(name, "logged again");
  expect(await roomAt(name).missed({ epoch, offset })).toMatchObject({ recovered: false });
});

it("members elsewhere get what is said once messages are kept again", async () => {
  const name = newRoom("odd");
  const channels = [name.slice("odd/".length)];
  using alice = await connected("odd", { user: "kept-again", claims: { channels } });
  const words = ["kept", "unkept", "unkept, too", "kept again", "and once more"];
  const durabilities = ["logged", "none", undefined, "logged", undefined] as const;
  for (const [at, word] of words.entries()) {
    const durability = durabilities[at];
    if (durability) await withDurability(name, durability);
    await say(name, word);
    await alice.hears(word);
  }
  expect(alice.texts).toEqual(words);
});

it("members elsewhere get what could not be delivered before a sleep, once messages are kept again", async () => {
  const name = "relayed/group:undelivered";
  const channels = ["group:undelivered"];
  using alice = await connected("relayed", { user: "undelivered", claims: { channels } });
  await withDurability(name, "none");
  for (const word of ["one", "two"]) await say(name, word);
  await alice.hears("two");
  await pass(name, 20, 5);
  await withDurability(name, "logged");
  const deliver = vi.spyOn(FollowedRooms.prototype, "deliver").mockImplementation(() => {
    throw new Error("It does not answer.");
  });
  for (const word of ["three", "four"]) await say(name, word);
  await evictDurableObject(roomAt(name));
  deliver.mockRestore();
  await pass(name, 60, 5);
  await alice.call("whoami");
  expect(alice.texts).toEqual(["one", "two", "three", "four"]);
});

it("a state has what is done after a time without it, in which messages were kept anew", async () => {
  const name = newRoom("odd");
  await withDurability(name, "none");
  for (let n = 0; n < 5; n++) await act(name, "add", 1);
  const forward = await rollBack(name, "its state");
  await withDurability(name, "logged");
  await say(name, "without a state");
  await forward();
  expect(await act(name, "add", 1)).toBe(6);
  await evictDurableObject(roomAt(name));
  expect(await wholeOf(name)).toMatchObject({ count: 6 });
});

it("a wake without the state reads few messages, however many there were", async () => {
  const name = newRoom();
  const elsewhere = database(name);
  await act(name, "add", 5);
  await pass(name, 5);
  const forward = await rollBack(name, "its state");
  for (let n = 0; n < 40; n++) await say(name, `${n}`);
  const read = vi.spyOn(SqliteLog.prototype, "kept");
  const wake = async () => {
    await evictDurableObject(roomAt(name));
    await roomAt(name).info();
    return read.mock.results.at(-1)!.value.length;
  };
  expect([await wake(), await wake()]).toEqual([40, 0]);
  await say(name, "one more");
  expect([await wake(), await wake()]).toEqual([1, 1]);
  await forward();
  await pass(name, DAY, HOUR);
  expect(elsewhere.saved).toEqual([{ count: 5 }]);
  expect(await act(name, "add", 1)).toBe(6);
  await evictDurableObject(roomAt(name));
  expect(await wholeOf(name)).toMatchObject({ count: 6 });
});

it("a room that is read alone in a deploy without its state ends in time", async () => {
  const name = newRoom("odd");
  await act(name, "add", 1);
  await pass(name, 2 * DAY, HOUR);
  expect(await storedIn(roomAt(name))).toMatchObject({ alarm: false });
  await rollBack(name, "its state");
  await roomAt(name).history({});
  await pass(name, 40 * DAY, 6 * HOUR);
  expect(await storedIn(roomAt(name))).toEqual(NOTHING);
});

it("a state that was in use between two roll-backs is kept for a month from the second on", async () => {
  const name = newRoom("odd");
  await act(name, "add", 1);
  const forward = await rollBack(name, "its state");
  await pass(name, 20 * DAY, 6 * HOUR);
  await forward();
  await act(name, "add", 1);
  await pass(name, 2 * DAY, 6 * HOUR);
  const again = await rollBack(name, "its state");
  await roomAt(name).history({});
  await pass(name, 20 * DAY, 6 * HOUR);
  await again();
  expect(await wholeOf(name)).toMatchObject({ count: 2 });
});

it("a state that is erased in a deploy without it does not come back from elsewhere", async () => {
  const name = newRoom();
  const elsewhere = database(name);
  await act(name, "add", 41);
  await pass(name, 3);
  expect(elsewhere.row).toEqual({ count: 41 });
  const forward = await rollBack(name, "its state");
  await roomAt(name).erase();
  await pass(name, DAY, HOUR);
  await forward();
  expect(await wholeOf(name)).toEqual({ count: 0 });
  await pass(name, DAY, HOUR);
  expect(elsewhere.saved).toEqual([{ count: 41 }, undefined]);
});

it("an alarm that finds a deploy's mistake names it in the log", async () => {
  const logged = vi.spyOn(console, "error");
  const name = newRoom("odd");
  await act(name, "later", HOUR, 1);
  const receiver = await receiverOf(name);
  const { settings } = receiver;
  onTestFinished(() => void (receiver.settings = settings));
  receiver.settings = () => {
    throw new TypeError("A mistake in a deploy.");
  };
  await evictDurableObject(roomAt(name));
  await pass(name, 1);
  expect(logged).toHaveBeenCalledWith(expect.stringContaining("A mistake in a deploy."));
});

it("a wake of the room `all` reads its followers' members once", async () => {
  // A tenant without users of the files before.
  const tenant = "read-once";
  const all = roomAt("relayed/all", tenant);
  using alice = await connected("relayed", { user: "read-once", claims: { tid: tenant } });
  await deployTo(all, "relayed", { online: true });
  await evictDurableObject(relayOf("relayed", alice.id, tenant));
  await vi.waitFor(async () => expect(await all.presence({})).toMatchObject({ users: 1 }));
  await evictDurableObject(all);
  const read = vi.spyOn(FollowerRows.prototype, "members");
  expect(await all.presence({})).toMatchObject({ users: 1 });
  expect(read).toHaveBeenCalledTimes(1);
});
