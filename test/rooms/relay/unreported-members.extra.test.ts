// Members that a room does not know yet when their relay falls asleep, or crashes.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { roomAt } from "../client.ts";
import { replace } from "../replaced.ts";
import { connected, open, relayOf, SignalR } from "./client.ts";

beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));

const roomOf = (room: string) => roomAt(room) as unknown as RoomRpc;

const publish = (room: string, text: string) =>
  roomOf(room).publish({ target: "Said", params: JSON.stringify([text]) });

const loseFollows = (room: string) =>
  replace(room, "follow", () => async () => {
    throw new Error("Lost on its way.");
  });

it("a room of a token whose follow failed is heard after a sleep", async () => {
  const room = "relayed/group:asleep";
  await publish(room, "before");
  await loseFollows(room);
  using alice = await connected("relayed", { claims: { channels: ["group:asleep"] } });
  await alice.call("Whoami");
  await evictDurableObject(roomAt(room));
  const relay = relayOf("relayed", alice.id);
  await evictDurableObject(relay);
  await runDurableObjectAlarm(relay);
  await publish(room, "heard");
  await expect.poll(() => alice.texts).toEqual(["heard"]);
});

it("a room is heard after a resume, where a crash came in the middle of the join", async () => {
  const room = "resuming/group:crash";
  const alice = await connected("resuming", { query: "useStatefulReconnect=true", version: 2 });
  const relay = relayOf("resuming", alice.id);
  await publish(room, "before");
  let isCalled = false;
  await replace(room, "follow", () => () => {
    isCalled = true;
    return new Promise(() => {});
  });
  alice.say({ type: 1, invocationId: "join", target: "Join", arguments: ["crash"] });
  await expect.poll(() => isCalled).toBe(true);
  for (const object of [relay, roomAt(room)])
    await runInDurableObject(object, (_, state) => state.abort("a crash")).catch(() => {});
  const { webSocket } = await open("resuming", alice.token);
  const same = { connectionId: alice.id, connectionToken: alice.token };
  using again = new SignalR(webSocket!, same, true);
  again.say({ type: 9, sequenceId: 2 });
  await again.record(({ type, invocationId }) => type === 3 && invocationId === "join");
  await again.call("Join", "crash");
  await publish(room, "heard");
  await expect.poll(() => again.texts).toEqual(["heard"]);
});

it("a leave that could not be reported is in the end, also after a sleep", async () => {
  const room = "relayed/group:leave";
  using alice = await connected("relayed", { user: "alice" });
  using bob = await connected("relayed", { user: "bob" });
  await alice.call("Join", "leave");
  await bob.call("Join", "leave");
  await loseFollows(room);
  await alice.call("Leave", "leave");
  await evictDurableObject(roomAt(room));
  const relay = relayOf("relayed", alice.id);
  await evictDurableObject(relay);
  await runDurableObjectAlarm(relay);
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  await expect
    .poll(async () => {
      vi.setSystemTime(Date.now() + 10_000);
      await runDurableObjectAlarm(roomAt(room));
      return (await roomOf(room).presence({})).members.map(({ userId }) => userId);
    })
    .toEqual(["bob"]);
});
