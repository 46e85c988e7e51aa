// Counts of a room that sleeps between messages, in the workerd engine. The clock is the test's.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ringBefore } from "../alarms.ts";
import { enter, roomAt, type Client } from "../client.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() }));
afterEach(() => void vi.useRealTimers());

const MINUTE = 60_000;

/** Alarms ring until this time has passed. */
async function pass(room: string, ms: number): Promise<void> {
  const end = Date.now() + ms;
  await ringBefore(roomAt(room), end + 1);
  vi.setSystemTime(end);
}

const say = (client: Client, room: string) =>
  client.call("sendToRoom", [room.split(":")[1], "hello"]);
const told = (room: string) =>
  runInDurableObject(roomAt(room), (_, { storage }) => storage.kv.get("told"));
const countedIn = async (room: string) => {
  const { rooms } = await roomAt("chat/all").metrics();
  return rooms.find((one) => one.room === room.split("/")[1])?.counted.in;
};

it("they outlive the sleep beside a socket, also when that closes meanwhile", async () => {
  const room = "chat/group:kept";
  const alice = await enter(room, { user: "alice" });
  const bob = await enter(room, { user: "bob" });
  await say(bob, room);
  await pass(room, MINUTE);
  const [before, counted] = [await told(room), await countedIn(room)];
  for (let wake = 0; wake < 2; wake++) {
    await evictDurableObject(roomAt(room));
    await say(bob, room);
    await pass(room, MINUTE);
  }
  expect([await told(room), await countedIn(room)]).toEqual([before, counted]);
  await evictDurableObject(roomAt(room));
  // The first close wakes the room, which finds the socket with the counts closed.
  for (const client of [alice, bob]) client.socket.close(1000);
  for (const client of [alice, bob]) await client.closed;
  await pass(room, MINUTE);
  expect(await countedIn(room)).toBe(counted! + 2);
});
