// Clients that come back: to their connection on another socket (stateful reconnect), or to their groups on a new
// connection; and rooms that are full.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { attachedOf } from "../../../src/rooms/connection/attachment.ts";
import type { RelayParts } from "../../../src/rooms/relay/relay-parts.ts";
import { ask } from "../../edge/rest/service.ts";
import { enter, roomAt, type Client } from "../client.ts";
import { connected, lose, negotiate, open, relayOf, resume, type SignalR } from "./client.ts";

const texts = (client: SignalR) => client.texts;

const stateful = { query: "useStatefulReconnect=true", version: 2 };

describe("stateful reconnect", () => {
  it("is negotiated where the hub allows it, and only there", async () => {
    expect(await negotiate("resuming", stateful)).toMatchObject({ useStatefulReconnect: true });
    expect(await negotiate("resuming")).not.toHaveProperty("useStatefulReconnect");
    expect(await negotiate("relayed", stateful)).not.toHaveProperty("useStatefulReconnect");
  });

  it("gives what was said meanwhile, after a Sequence, once and in order", async () => {
    const alice = await connected("resuming", stateful);
    using bob = await connected("resuming", { user: "bob" });
    await alice.call("Join", "r1");
    await bob.call("Say", "r1", "before");
    await alice.hears("before");
    alice.say({ type: 8, sequenceId: 2 });
    await bob.call("Say", "r1", "unconfirmed");
    await alice.hears("unconfirmed");
    await lose(alice, "resuming");
    await bob.call("Say", "r1", "meanwhile");
    using again = await resume(alice, "resuming");
    await again.hears("meanwhile");
    expect(again.heard[0]).toEqual({ type: 9, sequenceId: 3 });
    expect(texts(again)).toEqual(["unconfirmed", "meanwhile"]);
    again.say({ type: 9, sequenceId: 2 });
    expect((await again.call("Whoami")).result.connectionId).toBe(alice.id);
    expect((await again.call("Members", "r1")).result).toEqual({ users: 1, connections: 1 });
  });

  it("takes a message of the client's once, however often it is sent again", async () => {
    const alice = await connected("resuming", stateful);
    const say = (text: string, invocationId: string) =>
      ({ type: 1, invocationId, target: "Say", arguments: ["r2", text] }) as const;
    await alice.call("Join", "r2");
    alice.say(say("one", "a"));
    await alice.hears("one");
    await lose(alice, "resuming");
    using again = await resume(alice, "resuming");
    again.say(say("too early", "x"));
    again.say({ type: 9, sequenceId: 2 });
    again.say(say("one", "a"));
    again.say(say("two", "b"));
    await again.hears("two");
    expect(new Set(texts(again))).toEqual(new Set(["one", "two"]));
    expect(texts(again).filter((text) => text === "one").length).toBeLessThanOrEqual(1);
    await again.record(({ type, sequenceId }) => type === 8 && sequenceId === 3);
  });

  it("counts an item that cannot be read, so that what is sent again behind it runs once", async () => {
    const hub = "signalr-stateful";
    const alice = await connected(hub, stateful);
    alice.say({ type: 1, invocationId: "s", target: "Sum", arguments: [], streamIds: ["u"] });
    alice.socket.send('{"type":2,"invocationId":"u","item":1e400}\u001e');
    await alice.call("Join", "r5");
    const one = { type: 1, invocationId: "a", target: "Say", arguments: ["r5", "one"] };
    alice.say(one);
    await alice.hears("one");
    await lose(alice, hub);
    using again = await resume(alice, hub);
    again.say({ type: 9, sequenceId: 4 });
    again.say(one);
    await again.call("Say", "r5", "two");
    await again.hears("two");
    expect(again.texts).toEqual(["one", "two"]);
    await again.record(({ type, sequenceId }) => type === 8 && sequenceId === 5);
  });

  it("survives the relay's sleep and its loss of memory", async () => {
    const alice = await connected("resuming", stateful);
    using bob = await connected("resuming", { user: "bob" });
    await alice.call("Join", "r3");
    await alice.call("Keep", "n", 1);
    await bob.call("Say", "r3", "1");
    await alice.hears("1");
    await lose(alice, "resuming");
    await bob.call("Say", "r3", "2");
    await evictDurableObject(relayOf("resuming", alice.id));
    await bob.call("Say", "r3", "3");
    using again = await resume(alice, "resuming");
    await again.hears("3");
    expect(texts(again)).toEqual(["1", "2", "3"]);
    again.say({ type: 9, sequenceId: 3 });
    expect((await again.call("Kept", "n")).result).toBe(1);
  });

  it("answers calls that a crash has cut off, when their client is back", async () => {
    const alice = await connected("resuming", stateful);
    const relay = relayOf("resuming", alice.id);
    alice.say({ type: 1, invocationId: "cut", target: "Forever", arguments: [] });
    await alice.call("Whoami");
    await lose(alice, "resuming");
    await runInDurableObject(relay, (_, state) => state.abort("a crash")).catch(() => {});
    using again = await resume(alice, "resuming");
    const cut = await again.record(
      ({ type, invocationId }) => type === 3 && invocationId === "cut",
    );
    expect(cut.error).toContain("The server lost this call; call again.");
  });

  it("is for its own user, ends with a hole, and with a client that says nothing", async () => {
    const alice = await connected("resuming", stateful);
    await alice.call("Join", "r4");
    await lose(alice, "resuming");
    expect((await open("resuming", alice.token, { user: "bob" })).status).toBe(404);
    using again = await resume(alice, "resuming");
    again.say({ type: 9, sequenceId: 7 });
    expect(await again.record(({ type }) => type === 7)).toEqual({
      type: 7,
      error: "Connection closed with an error.",
      allowReconnect: true,
    });
    expect((await again.closed).code).toBe(1000);
    expect((await open("resuming", alice.token)).status).toBe(404);
    const silent = await connected("resuming", stateful);
    await lose(silent, "resuming");
    using mute = await resume(silent, "resuming");
    vi.setSystemTime(Date.now() + 6_000);
    await runDurableObjectAlarm(relayOf("resuming", silent.id));
    expect((await mute.closed).code).toBe(1000);
    vi.useRealTimers();
  });

  it.each([
    { by: "a loss", breaks: (one: SignalR) => lose(one, "resuming") },
    {
      by: "a crash",
      breaks: ({ id }: SignalR) =>
        runInDurableObject(relayOf("resuming", id), (_, state) => state.abort("a crash")).catch(
          () => {},
        ),
    },
  ])("lasts as long again where the new socket breaks by $by before its Sequence", async (how) => {
    const alice = await connected("resuming", stateful);
    await lose(alice, "resuming");
    await resume(alice, "resuming");
    await how.breaks(alice);
    const relay = relayOf("resuming", alice.id);
    await runDurableObjectAlarm(relay);
    const lostAt = Date.now();
    onTestFinished(() => void vi.useRealTimers());
    vi.setSystemTime(lostAt + 10_000);
    await runDurableObjectAlarm(relay);
    vi.useRealTimers();
    using again = await resume(alice, "resuming");
    expect(await again.record(({ type }) => type === 9)).toEqual({ type: 9, sequenceId: 1 });
    again.say({ type: 9, sequenceId: 1 });
    expect((await again.call("Whoami")).result.connectionId).toBe(alice.id);
  });

  it("takes no listener that has just come back for silent, before its Sequence has come", async () => {
    const alice = await connected("resuming", stateful);
    // A ping in another spelling than the runtime answers: it is noted that she pings.
    alice.socket.send(' {"type":6}\u001e');
    await alice.call("Whoami");
    vi.setSystemTime(Date.now() + 200_000);
    onTestFinished(() => void vi.useRealTimers());
    await lose(alice, "resuming");
    using again = await resume(alice, "resuming");
    await runDurableObjectAlarm(relayOf("resuming", alice.id));
    again.say({ type: 9, sequenceId: 2 });
    expect((await again.call("Whoami")).result.connectionId).toBe(alice.id);
  });

  it("keeps its new socket where the end of one that closed in the relay's sleep comes late", async () => {
    const alice = await connected("resuming", stateful);
    await lose(alice, "resuming");
    using again = await resume(alice, "resuming");
    again.say({ type: 9, sequenceId: 1 });
    await runInDurableObject(relayOf("resuming", alice.id), (object, state) => {
      const { 1: old } = new WebSocketPair();
      const present = state.getWebSockets().find((one) => attachedOf(one)?.id === alice.id)!;
      old.serializeAttachment(present.deserializeAttachment());
      (object as unknown as DurableObject).webSocketClose!(old, 1006, "", false);
    });
    expect((await again.call("Whoami")).result.connectionId).toBe(alice.id);
  });

  it("is over when nobody came back in time, and when the client said goodbye", async () => {
    const alice = await connected("resuming", stateful);
    await lose(alice, "resuming");
    vi.setSystemTime(Date.now() + 31_000);
    await runDurableObjectAlarm(relayOf("resuming", alice.id));
    expect((await open("resuming", alice.token)).status).toBe(404);
    vi.useRealTimers();
    for (const leave of [
      (bob: SignalR) => bob.say({ type: 7 }),
      (bob: SignalR) => bob.socket.close(1000),
    ]) {
      const bob = await connected("resuming", stateful);
      leave(bob);
      await bob.closed;
      expect((await open("resuming", bob.token)).status).toBe(404);
    }
  });

  it("needs a token and version 2: others end with their socket", async () => {
    const alice = await connected("resuming");
    await lose(alice, "resuming");
    expect((await open("resuming", alice.token)).status).toBe(404);
  });
});

describe("a client that names itself", () => {
  const phone = { query: "client=phone" };

  it("finds its groups again, and what it missed there first", async () => {
    const alice = await connected("remembering", phone);
    using bob = await connected("remembering", { user: "bob" });
    await alice.call("Join", "g1");
    await bob.call("Say", "g1", "1");
    await alice.hears("1");
    await lose(alice, "remembering");
    await bob.call("Say", "g1", "2");
    await bob.call("Say", "g1", "3");
    const excluded = `excluded=${encodeURIComponent(alice.id)}`;
    const body = { target: "Said", arguments: ["not to alice"] };
    await ask("POST", `/hubs/remembering/groups/g1/:send?${excluded}`, { body });
    await bob.call("Say", "g1", "3 again");
    using again = await connected("remembering", phone);
    await bob.call("Say", "g1", "4");
    await again.hears("4");
    expect(again.texts).toEqual(["2", "3", "3 again", "4"]);
    expect(again.id).not.toBe(alice.id);
  });

  it("that could have resumed, and does not, gets what was said while its old connection was held", async () => {
    const named = { query: "client=tab&useStatefulReconnect=true", version: 2 };
    const alice = await connected("remembering-resuming", named);
    using bob = await connected("remembering-resuming", { user: "bob" });
    await alice.call("Join", "g0");
    await bob.call("Say", "g0", "1");
    await alice.hears("1");
    await lose(alice, "remembering-resuming");
    await bob.call("Say", "g0", "2");
    await evictDurableObject(relayOf("remembering-resuming", alice.id));
    await bob.call("Say", "g0", "3");
    using again = await connected("remembering-resuming", named);
    await bob.call("Say", "g0", "4");
    await again.hears("4");
    expect(again.texts).toEqual(["2", "3", "4"]);
    await lose(again, "remembering-resuming");
    using resumed = await resume(again, "remembering-resuming");
    resumed.say({ type: 9, sequenceId: 1 });
    await bob.call("Say", "g0", "5");
    await resumed.hears("5");
    expect(resumed.texts.at(-1)).toBe("5");
    expect((await bob.call("Members", "g0")).result.connections).toBe(1);
  });

  it("finds them after a crash of the relay, on every level, and only by its own name and user", async () => {
    const clients = await Promise.all(
      ["a", "b", "c", "d", "e"].map((name) =>
        connected("remembering-five", { query: `client=${name}` }),
      ),
    );
    using bob = await connected("remembering-five", { user: "bob" });
    for (const client of clients) await client.call("Join", "g2");
    await bob.call("Say", "g2", "1");
    for (const client of clients) await client.hears("1");
    for (const client of clients) await lose(client, "remembering-five");
    await bob.call("Say", "g2", "2");
    const back = [];
    for (const name of ["e", "d", "c", "b", "a"])
      back.push(await connected("remembering-five", { query: `client=${name}` }));
    using other = await connected("remembering-five", { user: "eve", query: "client=a" });
    await bob.call("Say", "g2", "3");
    for (const client of back) {
      await client.hears("3");
      expect(client.texts).toEqual(["2", "3"]);
      client[Symbol.dispose]();
    }
    await bob.call("SayAll", "end");
    await other.hears("end");
    expect(other.texts).toEqual(["end"]);
  });

  it("has forgotten them when it said goodbye, or came too late; its newest connection is the one", async () => {
    const alice = await connected("remembering", phone);
    await alice.call("Join", "g3");
    alice.say({ type: 7 });
    await alice.closed;
    using again = await connected("remembering", phone);
    await again.call("SayAll", "x");
    expect((await again.call("Members", "g3")).result.connections).toBe(0);
    await again.call("Join", "g4");
    using newest = await connected("remembering", phone);
    expect((await again.closed).code).toBe(1000);
    await newest.call("Say", "g4", "hello");
    await newest.hears("hello");
  });
});

describe("a room that is full", () => {
  const enterAll = async (room: string, count: number): Promise<Client[]> => {
    const clients: Client[] = [];
    for (let i = 0; i < count; i++) clients.push(await enter(room, { user: `user-${i}` }));
    return clients;
  };

  it("sends further sockets to relays of its own: one order, one presence, one history", async () => {
    const room = "full/group:crowd";
    const clients = await enterAll(room, 20);
    const homes = new Set(clients.map(({ hello }) => hello.params.connectionId.split("@")[1]));
    expect(homes.size).toBeGreaterThan(3);
    expect(homes).toContain("group:crowd");
    expect(clients.at(-1)!.hello.params).toMatchObject({ room: "group:crowd", recovered: false });
    await Promise.all(clients.map((one, i) => one.call("say", ["crowd", `${i}`])));
    const order = clients[0]!.messages("said").map(({ params }) => params[0]);
    const last = order.at(-1);
    for (const client of clients) {
      await client.heardFrame(({ params }) => params?.[0] === last);
      expect(client.messages("said").map(({ params }) => params[0])).toEqual(order);
    }
    expect(order).toHaveLength(20);
    expect((await clients[19]!.call("$/presence")).result).toMatchObject({
      users: 20,
      connections: 20,
    });
    expect((await clients[19]!.call("$/history", { limit: 3 })).result.messages).toHaveLength(3);
    for (const client of clients) client[Symbol.dispose]();
  });

  it("recovers them by position, like its own, also after everything slept", async () => {
    const room = "full/group:recovered";
    const clients = await enterAll(room, 5);
    const gone = clients[4]!;
    await gone.call("say", ["recovered", "1"]);
    const { position } = await gone.said("said");
    gone.socket.close(1000);
    await gone.closed;
    await clients[0]!.call("say", ["recovered", "2"]);
    await clients[3]!.call("say", ["recovered", "3"]);
    const relay = relayOf("full", clients[3]!.hello.params.connectionId);
    await evictDurableObject(relay);
    await evictDurableObject(roomAt(room));
    using again = await enter(room, { user: "user-4", since: position! });
    expect(again.hello.params).toMatchObject({ recovered: true });
    await clients[3]!.call("say", ["recovered", "4"]);
    await again.heardFrame(({ params }) => params?.[0] === "4");
    expect(again.messages("said").map(({ params }) => params[0])).toEqual(["2", "3", "4"]);
    for (const client of clients) client[Symbol.dispose]();
  });
});

it("a connection whose end cannot be written leaves its rooms all the same", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => void vi.restoreAllMocks());
  const alice = await connected("resuming");
  await alice.call("Join", "full-disk");
  const room = roomAt("resuming/group:full-disk");
  expect((await room.info()).connections).toBe(1);
  await runInDurableObject(relayOf("resuming", alice.id), (object) => {
    const { parts } = object as unknown as { parts: Pick<RelayParts, "resumables"> };
    vi.spyOn(parts.resumables, "end").mockImplementationOnce(() => {
      throw new Error("SQLITE_FULL");
    });
  });
  alice.socket.close(1000);
  await expect.poll(async () => (await room.info()).connections, { interval: 5 }).toBe(0);
});

describe("filters", () => {
  it("stand around calls and the connection, the first outermost, and may change results", async () => {
    const alice = await connected("filtered", { user: "fred" });
    expect((await alice.call("Loud", "hello")).result).toBe("HELLO");
    await alice.call("Nope");
    alice.say({ type: 7 });
    await alice.closed;
    using bob = await connected("filtered", { user: "bob" });
    const noted = (await bob.call("Trace")).result as string[];
    // Other files of this engine call the hub as well.
    const trace = noted.slice(noted.indexOf("outer connected fred"));
    expect(trace.slice(0, 6)).toEqual([
      "outer connected fred",
      "inner connected fred",
      "outer before loud(hello)",
      "inner before loud(hello)",
      "inner after loud",
      "outer after loud",
    ]);
    expect(trace).toContain("inner disconnected fred");
    expect(trace.filter((line) => line.includes("Nope"))).toEqual([]);
  });
});
