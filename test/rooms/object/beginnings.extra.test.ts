// What a client does before its connection has begun, and how connections end that hardly began.

import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { PING } from "../../../src/model/wire-constants.ts";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { request } from "../../dispatch/frames.ts";
import { Client, enter, roomAt, token, upgrade, type Joining } from "../client.ts";
import { hold } from "../replaced.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const closing = (client: Client): Client => {
  onTestFinished(() => client[Symbol.dispose]());
  return client;
};

const entering = async (room: string, joining: Joining): Promise<Client> =>
  closing(await enter(room, joining));

/** Does not wait for `$/connected`. */
async function eager(room: string, user: string): Promise<Client> {
  const { webSocket } = await upgrade(`/parties/${room}?access_token=${await token(user)}`);
  return closing(new Client(webSocket!));
}

/** Connections of hub greeting wait for its `all` room; what happens in their room is read through another hub. */
async function beginning(name: string) {
  await roomAt("greeting/all").history({});
  const all = await hold("greeting/all", "follow");
  onTestFinished(() => all.letGo());
  const spy = await entering(`slow/group:${name}`, { user: "spy" });
  const seen: string[] = [];
  const trace = async () => {
    seen.push(...((await spy.call("trace")).result as string[]));
    return seen;
  };
  return { all, trace, room: `greeting/group:${name}` };
}

/** What a client heard in order, presence aside: methods, and ids of answers. */
const hearing = (client: Client) =>
  client.heard.map(({ method, id }) => method ?? id).filter((one) => one !== "$/presence");

/** The object has had all that the client sent before. */
async function received(client: Client): Promise<void> {
  const count = () => client.frames.filter((frame) => frame === PING).length;
  const before = count();
  client.send(PING);
  await expect.poll(count).toBe(before + 1);
}

describe("a client that does not wait to be greeted", () => {
  it("is heard all the same, after the hub's `connected` and in order", async () => {
    const { all, trace, room } = await beginning("eager");
    const bob = await eager(room, "bob");
    for (const [id, text] of ["first", "second"].entries())
      bob.send(request(`${id}`, "note", [text]));
    await received(bob);
    all.letGo();
    expect(await bob.response("1")).toEqual({ jsonrpc: "2.0", id: "1", result: null });
    expect(hearing(bob)).toEqual(["$/connected", "0", "1"]);
    expect(await trace()).toEqual(["connected bob", "first", "second"]);
  });

  it("does nothing where `connected` refuses it", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const { all, trace, room } = await beginning("failing");
    const eve = await eager(room, "eve");
    eve.send(request("1", "note", ["eve was here"]));
    await received(eve);
    all.letGo();
    expect(await eve.closed).toEqual({ code: 4503, reason: "The hub could not begin." });
    expect(await trace()).toEqual([]); // nor is it told of the end of what never began
    expect(hearing(eve)).toEqual(["$/connected"]);
    expect(logged).toHaveBeenCalledOnce();
  });

  it("is let go when it sends a hundred frames and one more", async () => {
    const { trace, room } = await beginning("flooding");
    const eve = await eager(room, "eve");
    for (let n = 0; n <= 100; n++) eve.send(request(n, "note", [`${n}`]));
    expect(await eve.closed).toMatchObject({ code: 4429 });
    expect(await trace()).toEqual([]); // the hub never knew of it
  });
});

it("a connection that closes before it is greeted is never `connected`", async () => {
  const { all, trace, room } = await beginning("hasty");
  const eve = await eager(room, "eve");
  eve.socket.close(1000);
  await eve.closed;
  expect(await trace()).toEqual([]);
  const bob = await eager(room, "bob");
  all.letGo();
  await bob.said("$/connected");
  await expect.poll(trace).toContain("connected bob");
  expect(await trace()).toEqual(["connected bob"]); // nor of its end
});

describe("a client that closes while its room sleeps", () => {
  it("has gone from the room, and from all who are online, with the others who did", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const room = "presence/group:asleep";
    const [alice, bob] = [
      await entering(room, { user: "alice" }),
      await entering(room, { user: "bob" }),
    ];
    await entering(room, { user: "carol" });
    await evictDurableObject(roomAt(room));
    for (const client of [alice, bob]) client.socket.close(1000);
    for (const client of [alice, bob]) await client.closed;
    const here: RoomRpc = roomAt(room);
    const all: RoomRpc = roomAt("presence/all");
    const carol = { userId: "carol", connections: 1, since: expect.any(Number), state: null };
    await expect.poll(async () => (await all.presence({})).connections).toBe(1);
    vi.setSystemTime(Date.now() + 7_000);
    for (const one of [room, "presence/all"]) await runDurableObjectAlarm(roomAt(one));
    const left = { users: 1, connections: 1, members: [carol], more: false };
    expect([await all.presence({}), await here.presence({})]).toEqual([left, left]);
  });

  it("is `disconnected`, once", async () => {
    const room = "greeting/group:asleep";
    const [alice, bob] = [
      await entering(room, { user: "alice" }),
      await entering(room, { user: "bob" }),
    ];
    const seen: string[] = [];
    const trace = async () => {
      seen.push(...((await bob.call("trace")).result as string[]));
      return seen;
    };
    await expect.poll(trace).toEqual(["connected alice", "connected bob"]);
    await evictDurableObject(roomAt(room));
    alice.socket.close(1000);
    await alice.closed;
    await expect.poll(trace).toHaveLength(3);
    await bob.call("note", ["barrier"]);
    expect((await trace()).slice(2)).toEqual(["gone alice undefined true", "barrier"]);
  });
});

describe("a position to resume from", () => {
  const caps = [{ channels: ["group:*"], match: "wildcard", allow: ["hst"] }];
  it.each([
    ["nothing to who may not read the history", { name: "unread-1", claims: {}, replay: [] }],
    ["to who may by the token's caps", { name: "unread-2", claims: { caps }, replay: ["secret"] }],
  ])("replays %s", async (_, { name, claims, replay }) => {
    const room = `unread/group:${name}`;
    const bob = await entering(room, { user: "bob" });
    await bob.call("sayGroups", [[name], "secret"]);
    const since = bob.hello.params.position as string;
    const eve = await entering(room, { user: "eve", since, claims });
    expect(eve.hello.params).toMatchObject({ recovered: replay.length > 0 });
    await bob.call("sayGroups", [[name], "live"]);
    await eve.heardFrame(({ params }) => params?.[0] === "live");
    const words = eve.messages("said").map(({ params }) => params[0] as string);
    expect(words).toEqual([...replay, "live"]);
  });
});
