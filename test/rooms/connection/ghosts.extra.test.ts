// The bound on ghosts: a client that is lost half open leaves no event, and may not have sent one byte since it
// connected. On each transport its connection ends within `silentSeconds` (75) and a sweep (120).

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { PING } from "../../../src/model/wire-constants.ts";
import { attachedOf } from "../../../src/rooms/connection/attachment.ts";
import { holderOf, objectName } from "../../../src/rooms/rpc/object-names.ts";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { Client, token, upgrade } from "../client.ts";
import { SignalR, type Negotiated } from "../relay/client.ts";
import { range } from "../storage.ts";

const BOUND_MS = (75 + 120) * 1000;
const HANDSHAKE = `{"protocol":"json","version":1}\u001e`;
const MICROSOFT = { "x-signalr-user-agent": "Microsoft SignalR/10.0 (10.0.11; Linux; Browser; -)" };

/** A tenant for each test: its objects have no other clients. */
let tenant = "";
beforeEach(({ task }) => {
  tenant = `ghosts-${task.id}`;
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});
afterEach(() => void vi.useRealTimers());

/** All are in a room with presence: an object of which nobody could tell that a client is gone rests. */
const access = (user: string) => token(user, { tid: tenant, channels: ["group:seen"] });

/** The object that holds a connection. */
function holder(hub: string, id: string) {
  const address = holderOf(id, { tenant, hub });
  const namespace = "relay" in address ? env.RELAYS : env.ROOMS;
  return namespace.getByName(objectName(address)) as unknown as DurableObjectStub & RoomRpc;
}

const idsAt = async (hub: string, id: string, room: string) =>
  (await holder(hub, id).membersIn({ room, after: "", limit: 1000 })).map(
    ({ connectionId }) => connectionId,
  );

/** Time passes, for the object that holds the connection asleep and awake. */
async function pass(hub: string, id: string, ms: number): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  await runDurableObjectAlarm(holder(hub, id));
}

interface Ghost {
  readonly id: string;
  readonly closed: Promise<{ readonly code: number }>;
}

async function jsonRpc(
  path: string,
  query: string,
  user = "ghost",
): Promise<Ghost & { client: Client }> {
  const response = await upgrade(`${path}?access_token=${await access(user)}&${query}`);
  if (!response.webSocket) throw new Error(`Refused: ${response.status}`);
  const client = new Client(response.webSocket);
  onTestFinished(() => client[Symbol.dispose]());
  const { params } = await client.heardFrame(({ method }) => method === "$/connected");
  return { id: params.connectionId, closed: client.closed, client };
}

async function signalR(headers: Record<string, string>): Promise<SignalR> {
  const negotiated = await negotiate(headers);
  const search = new URLSearchParams({
    id: negotiated.connectionToken,
    access_token: await access("ghost"),
  });
  const client = new SignalR((await upgrade(`/hubs/relayed?${search}`)).webSocket!, negotiated);
  onTestFinished(() => client[Symbol.dispose]());
  client.say({ protocol: "json", version: 1 });
  await client.shaken;
  return client;
}

async function negotiate(headers: Record<string, string>): Promise<Negotiated> {
  const url = "https://edge.example/hubs/relayed/negotiate?negotiateVersion=1";
  const authorization = `Bearer ${await access("ghost")}`;
  const response = await exports.default.fetch(url, {
    method: "POST",
    headers: { authorization, ...headers },
  });
  return response.json();
}

/** A negotiated connection over HTTP. */
async function overHttp() {
  const { connectionId: id, connectionToken } = await negotiate(MICROSOFT);
  const url = `https://edge.example/hubs/relayed?id=${encodeURIComponent(connectionToken)}`;
  const authorization = `Bearer ${await access("ghost")}`;
  const get = (accept = "*/*") =>
    exports.default.fetch(url, { headers: { authorization, accept } });
  const post = (body: string) =>
    exports.default.fetch(url, { method: "POST", headers: { authorization }, body });
  return { id, get, post };
}

/** SignalR over Server-Sent Events; the stream is read until its end. */
async function events() {
  const { id, get, post } = await overHttp();
  const text = (await get("text/event-stream")).text();
  expect((await post(HANDSHAKE)).status).toBe(200);
  return { id, post, text };
}

/** SignalR over long polling, after its handshake. */
async function polls() {
  const { id, get, post } = await overHttp();
  const poll = async () => (await get()).arrayBuffer();
  await poll();
  expect((await post(HANDSHAKE)).status).toBe(200);
  await poll();
  return { id, poll, post, openPolls: () => socketsOf(id) };
}

const socketsOf = (id: string): Promise<number> =>
  runInDurableObject(
    holder("relayed", id),
    (_, state) => state.getWebSockets().filter((one) => attachedOf(one)?.id === id).length,
  );

const ROOM = "/parties/plain/group:ghosts";

describe("a client that sends nothing since it connected is gone within the bound", () => {
  it.for([
    ["a room", "plain", ROOM],
    ["a whole hub", "relayed", "/hubs/relayed/rpc"],
  ] as const)("at %s, where it has announced pings", async ([, hub, path]) => {
    const { id, closed } = await jsonRpc(path, "heartbeat=1");
    await evictDurableObject(holder(hub, id));
    await pass(hub, id, BOUND_MS);
    expect((await closed).code).toBe(4410);
  });

  it("at a relay of a full room, where it has announced pings", async () => {
    const path = "/parties/full/group:ghosts";
    for (const n of range(1, 3)) await jsonRpc(path, "", `user-${n}`);
    const { id, closed } = await jsonRpc(path, "heartbeat=1");
    expect(id).toContain("@relay:");
    await pass("full", id, BOUND_MS);
    expect((await closed).code).toBe(4410);
  });

  it("in SignalR over a WebSocket, as a client of Microsoft's", async () => {
    const { id, closed } = await signalR(MICROSOFT);
    await evictDurableObject(holder("relayed", id));
    await pass("relayed", id, BOUND_MS);
    expect((await closed).code).toBe(1000);
  });

  it("in SignalR over Server-Sent Events", async () => {
    const { id, text } = await events();
    await evictDurableObject(holder("relayed", id));
    await pass("relayed", id, BOUND_MS);
    expect(await text).toContain('data: {"type":7');
  });

  it("in SignalR over long polling, where no worker answers its poll", async () => {
    const { id, poll, openPolls } = await polls();
    const last = poll();
    await expect.poll(openPolls).toBe(1);
    await evictDurableObject(holder("relayed", id));
    await pass("relayed", id, (105 + 120) * 1000);
    expect(new TextDecoder().decode(await last)).toContain('"type":7');
  });
});

it("a client that answered pings of the server, and then no more, is gone within the bound", async () => {
  const mute = await signalR({});
  await pass("relayed", mute.id, 20_000);
  mute.socket.send(PING);
  await expect.poll(() => mute.frames.length).toBeGreaterThan(1);
  await pass("relayed", mute.id, 15_000);
  await pass("relayed", mute.id, BOUND_MS);
  expect((await mute.closed).code).toBe(1000);
});

it("pings that are posted beside Server-Sent Events keep their client alive", async () => {
  const { id, post } = await events();
  for (let n = 0; n < 20; n++) {
    expect((await post(PING)).status).toBe(200);
    await evictDurableObject(holder("relayed", id)).catch(() => {});
    await pass("relayed", id, 15_000);
  }
  expect((await post(PING)).status).toBe(200);
});

it("a client that polls is alive, however long ago it has posted something", async () => {
  const { id, poll, post, openPolls } = await polls();
  let last = poll();
  await expect.poll(openPolls).toBe(1);
  for (let n = 0; n < 4; n++) {
    await pass("relayed", id, 90_000);
    const next = poll();
    await last;
    last = next;
  }
  expect((await post(PING)).status).toBe(200);
});

it("a client without pings stays as long as its socket is open", async () => {
  const { id, client } = await jsonRpc(ROOM, "");
  await pass("plain", id, 10 * BOUND_MS);
  expect((await client.call("$/presence")).result.users).toBe(1);
});

describe("a client that comes back", () => {
  it.for([
    ["a room", ROOM],
    ["a whole hub", "/hubs/relayed/rpc"],
  ] as const)("to %s ends the connection that it names", async ([, path]) => {
    const old = await jsonRpc(path, "heartbeat=1");
    const next = await jsonRpc(path, `connection=${encodeURIComponent(old.id)}`);
    expect((await old.closed).code).toBe(4504);
    expect(next.id).not.toBe(old.id);
  });

  it("ends no connection of another user", async () => {
    const old = await jsonRpc(ROOM, "", "other");
    await jsonRpc(ROOM, `connection=${encodeURIComponent(old.id)}`);
    expect((await old.client.call("$/presence")).result.users).toBe(2);
  });

  it("is refused by no lost connections of its user once they are silent, and by live ones", async () => {
    const all = [];
    for (let n = 0; n < 50; n++) all.push(await jsonRpc(ROOM, "heartbeat=1"));
    await expect(jsonRpc(ROOM, "heartbeat=1")).rejects.toThrow("Refused: 429");
    vi.setSystemTime(Date.now() + 76_000);
    const { id } = await jsonRpc(ROOM, "heartbeat=1");
    expect((await all[0]!.closed).code).toBe(4410);
    expect(await idsAt("plain", id, "group:ghosts")).toEqual([id]);
  });
});
