// How often a room looks for lost clients: each `sweepSeconds` where anybody could tell that one is gone, once an hour
// where nobody could, and before somebody sees who is there. In the workerd engine; the clock is the test's.

import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { objectName } from "../../../src/rooms/rpc/object-names.ts";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { alarmsOfThirdHour } from "../alarms.ts";
import { Client, token, upgrade } from "../client.ts";

const PINGS = "heartbeat=1";
/** Longer than a client may be silent. */
const SILENT_MS = 80_000;

let tenant = "";
beforeEach(({ task }) => {
  tenant = `watched-${task.id}`;
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => void vi.useRealTimers());

function roomOf(hub: string) {
  const name = objectName({ tenant, hub, topic: { kind: "group", name: "one" } });
  return env.ROOMS.getByName(name) as unknown as DurableObjectStub & RoomRpc;
}

const access = (user: string, claims = {}) =>
  token(user, { tid: tenant, exp: Math.floor(Date.now() / 1000) + 10 * 3600, ...claims });

/** With `heartbeat=1` it is lost when it does not ping; without, it stays as long as its socket. */
async function enter(hub: string, user: string, query = ""): Promise<Client> {
  const response = await upgrade(
    `/parties/${hub}/group:one?access_token=${await access(user)}&${query}`,
  );
  if (!response.webSocket) throw new Error(`Refused: ${response.status} ${await response.text()}`);
  const client = new Client(response.webSocket);
  onTestFinished(() => client[Symbol.dispose]());
  await client.heardFrame(({ method }) => method === "$/connected");
  return client;
}

/** A client of the whole hub is in the room: its relay follows the room. */
async function follow(user: string, users = 2): Promise<void> {
  const bearer = await access(user, { channels: ["group:one"] });
  const { webSocket } = await upgrade(`/hubs/plain/rpc?access_token=${bearer}`);
  const client = new Client(webSocket!);
  onTestFinished(() => client[Symbol.dispose]());
  await client.heardFrame(({ method }) => method === "$/connected");
  await expect.poll(() => usersIn("plain")).toBe(users);
}

/** The clients are lost half open, and the room falls asleep. */
async function lose(hub: string, ms: number): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  await evictDurableObject(roomOf(hub));
}

const offsetIn = async (hub: string) => (await roomOf(hub).info()).position.offset;
const usersIn = async (hub: string) => (await roomOf(hub).presence({})).users;

describe("a room looks for lost clients", () => {
  it("once an hour, with one client and nobody else who could tell", async () => {
    await enter("plain", "ann");
    expect(await alarmsOfThirdHour(roomOf("plain"))).toBe(1);
  });

  it("each two minutes, with a second client, and once an hour when that has left", async () => {
    await enter("plain", "ann");
    const ben = await enter("plain", "ben");
    expect(await alarmsOfThirdHour(roomOf("plain"))).toBe(30);
    ben[Symbol.dispose]();
    await expect.poll(() => usersIn("plain")).toBe(1);
    expect(await alarmsOfThirdHour(roomOf("plain"))).toBe(1);
  });

  it("each two minutes, where the hub's code runs when a client is gone", async () => {
    await enter("greeting", "ann");
    expect(await alarmsOfThirdHour(roomOf("greeting"))).toBe(30);
  });

  it("each two minutes, where an object follows it", async () => {
    await enter("plain", "ann");
    await follow("ben");
    expect(await alarmsOfThirdHour(roomOf("plain"))).toBe(30);
  });
});

describe("a lost client that no sweep has found is not shown", () => {
  it("to a service that asks who is there", async () => {
    await enter("plain", "ann", PINGS);
    await lose("plain", SILENT_MS);
    expect(await usersIn("plain")).toBe(0);
  });

  it("to a service that asks for connections, or counts", async () => {
    await enter("plain", "ann", PINGS);
    await lose("plain", SILENT_MS);
    expect((await roomOf("plain").connectionsIn({ limit: 10 })).connections).toEqual([]);
    expect(await roomOf("plain").info()).toMatchObject({ connections: 0, users: 0 });
  });

  it("to an account or another room that asks for connections", async () => {
    await enter("plain", "ann", PINGS);
    await lose("plain", SILENT_MS);
    expect(await roomOf("plain").membersIn({ room: "all", after: "", limit: 10 })).toEqual([]);
    await enter("plain", "ann", PINGS);
    await lose("plain", SILENT_MS);
    const selection = { user: "ann" };
    expect(await roomOf("plain").command(selection, [])).toEqual({ matched: 0, present: 0 });
  });

  it("to the next client", async () => {
    await enter("plain", "ann", PINGS);
    await lose("plain", SILENT_MS);
    const ben = await enter("plain", "ben", PINGS);
    expect((await ben.call("$/presence")).result.users).toBe(1);
  });

  it("and has left no sooner than a client that pings may be silent", async () => {
    await enter("plain", "ann", PINGS);
    await lose("plain", 70_000);
    expect(await usersIn("plain")).toBe(1);
  });

  it("a user who comes back has neither left nor joined", async () => {
    await enter("plain", "ann", PINGS);
    await expect.poll(() => offsetIn("plain")).toBe(1);
    await lose("plain", SILENT_MS);
    await enter("plain", "ann", PINGS);
    const published = await roomOf("plain").publish({ target: "said", params: "[]" });
    expect(published.offset).toBe(2);
    expect(await usersIn("plain")).toBe(1);
  });

  it("a user who comes back over a relay keeps its state", async () => {
    await enter("plain", "ann", PINGS);
    await roomOf("plain").track("ann", { typing: true });
    await lose("plain", SILENT_MS);
    await follow("ann", 1);
    const { members } = await roomOf("plain").presence({});
    expect(members).toMatchObject([{ userId: "ann", state: { typing: true } }]);
  });
});
