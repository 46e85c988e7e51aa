// Rooms and relays whose storage was damaged and deleted: the other side of their follow links is as it was.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { roomAt } from "../client.ts";
import { connected, relayOf } from "./client.ts";

beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => {}));

const roomOf = (room: string) => roomAt(room) as unknown as RoomRpc;

/** Tables that are not as they were made. */
async function damage(object: DurableObjectStub, table: string): Promise<void> {
  await runInDurableObject(object, (_, { storage }) => {
    storage.sql.exec(`DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (other TEXT);`);
    storage.sql.exec(`INSERT INTO ${table} VALUES ('here')`);
  });
  await evictDurableObject(object);
}

it("clients of a relay hear a room that was healed by its erasure", async () => {
  using alice = await connected("relayed");
  await alice.call("Join", "heal");
  await alice.call("Say", "heal", "before");
  await alice.hears("before");
  // The list of relays is some seconds behind.
  await runDurableObjectAlarm(relayOf("relayed", alice.id));
  await expect
    .poll(async () => (await roomOf("relayed/all").relays({})).rooms.length)
    .toBeGreaterThan(0);
  await damage(roomAt("relayed/group:heal"), "followers");
  await roomOf("relayed/group:heal").erase();
  await expect.poll(async () => (await roomOf("relayed/group:heal").info()).users).toBe(1);
  await roomOf("relayed/group:heal").publish({ target: "Said", params: '["behind"]' });
  await alice.hears("behind");
});

it("clients of a relay hear everybody again after the room `all` was healed, once the relay has reported", async () => {
  using alice = await connected("relayed");
  await alice.call("Whoami");
  await damage(roomAt("relayed/all"), "followers");
  await roomOf("relayed/all").erase();
  await roomOf("relayed/all").publish({ target: "Said", params: '["to nobody"]' });
  // An alarm ends objects that keep nothing; the relay rests for hours between two reports.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 11 * 60_000 });
  onTestFinished(() => void vi.useRealTimers());
  await runDurableObjectAlarm(roomAt("relayed/all"));
  await evictDurableObject(roomAt("relayed/all"));
  vi.setSystemTime(Date.now() + 6 * 3_600_000);
  const { sockets, connections, users } = { sockets: 1, connections: 1, users: 1 };
  const counted = { in: 0 } as never;
  const report = { sockets, connections, users, counted, before: counted, wake: "w" } as never;
  await roomOf("relayed/all").report(`relay:${alice.id.split("relay:")[1]}`, report);
  await expect
    .poll(async () => {
      await roomOf("relayed/all").publish({ target: "Said", params: '["to all"]' });
      return alice.texts;
    })
    .toContain("to all");
});

it("a user who was lost with a damaged relay is a ghost no longer than with a crashed one", async () => {
  const room = "relayed/group:damaged";
  const alice = await connected("relayed", { user: "alice" });
  const bob = await connected("relayed", { user: "bob" });
  await alice.call("Join", "damaged");
  await bob.call("Join", "damaged");
  const relay = relayOf("relayed", alice.id);
  await damage(relay, "joins");
  await expect.poll(() => connected("relayed", { user: "alice" }).catch(() => {})).toBeTruthy();
  using again = await connected("relayed", { user: "alice" });
  await again.call("Join", "damaged");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10_000 });
  onTestFinished(() => void vi.useRealTimers());
  await runDurableObjectAlarm(roomAt(room));
  const { members } = await roomOf(room).presence({});
  expect(members.map(({ userId }) => userId)).toEqual(["alice"]);
});
