// What a client hears: messages once and in order, questions, presence, and whether it missed something.

import { describe, expect, it, vi } from "vitest";
import { PING } from "../../../src/model/wire-constants.ts";
import type { Message } from "../../../src/client/index.ts";
import type { TestHub } from "../hubs.ts";
import { connected, pass, type FakeSocket } from "../server.ts";

const said = (position: string, text: string, room = "group:lobby") => ({
  method: "said",
  params: ["bob", text],
  room,
  position,
});

describe("what is said", () => {
  it("reaches handlers, listeners and whoever listens to everything", async () => {
    const heard: unknown[] = [];
    const { server, client } = await connected<TestHub>({
      handlers: { said: (user, text) => heard.push(["handler", user, text]) },
    });
    const off = client.on("said", (_user, text) => heard.push(["listener", text]));
    client.onMessage((message) => heard.push(message));
    server.socket.say(said("e:11", "hi"));
    off();
    server.socket.say([{ method: "said", params: ["bob", "to you alone"] }]);
    expect(heard).toEqual([
      ["handler", "bob", "hi"],
      ["listener", "hi"],
      said("e:11", "hi"),
      ["handler", "bob", "to you alone"],
      { method: "said", params: ["bob", "to you alone"] },
    ]);
  });

  it("is not lost on those after a handler that throws", async () => {
    const error = vi.spyOn(console, "error").mockReturnValue();
    const heard: string[] = [];
    const { server, client } = await connected<TestHub>({
      handlers: {
        said: () => {
          throw new Error("of the application");
        },
      },
    });
    client.on("said", (_user, text) => heard.push(text));
    client.on("said", () => Promise.reject(new Error("later")));
    server.socket.say([said("e:11", "one"), said("e:12", "two")]);
    await pass();
    expect(heard).toEqual(["one", "two"]);
    expect(error).toHaveBeenCalledTimes(4);
    error.mockRestore();
  });

  it("twice at one position is heard once, and another epoch is another count", async () => {
    const heard: string[] = [];
    const { server, client } = await connected<TestHub>();
    client.on("said", (_user, text) => heard.push(text));
    for (const [position, room] of [
      ["e:10"],
      ["e:11"],
      ["e:11"],
      ["e:9"],
      ["f:3"],
      ["f:3"],
      ["g:1", "order:1"],
      ["g:1", "order:1"],
      ["g:2", "order:1"],
    ] as const)
      server.socket.say(said(position, position, room));
    expect(heard).toEqual(["e:11", "f:3", "g:1", "g:2"]);
    expect(client.position).toBe("f:3");
  });

  it("as nonsense is told as an error, and what follows is heard", async () => {
    const heard: string[] = [];
    const { server, client } = await connected<TestHub>();
    client.on("said", (_user, text) => heard.push(text));
    client.onError(({ code }) => heard.push(code));
    server.socket.say("no JSON");
    server.socket.say({
      id: null,
      error: { code: -32006, message: "", data: { code: "too_large" } },
    });
    server.socket.say(PING);
    server.socket.say({ method: "$/news", params: {} });
    server.socket.say(said("e:11", "hi"));
    expect(heard).toEqual(["malformed", "too_large", "hi"]);
  });
});

describe("a question of the hub", () => {
  const ask = async (socket: FakeSocket) => {
    socket.say({ id: "s1", method: "confirm", params: ["sure?"] });
    await pass();
    return socket.said;
  };

  it("is answered with what the handler returns", async () => {
    const { server } = await connected<TestHub>({
      handlers: { confirm: async (question) => question === "sure?" },
    });
    expect(await ask(server.socket)).toEqual([{ jsonrpc: "2.0", id: "s1", result: true }]);
  });

  it("is answered with the error that the handler throws", async () => {
    const { server } = await connected<TestHub>({
      handlers: { confirm: () => Promise.reject(new Error("Nobody is here.")) },
    });
    expect(await ask(server.socket)).toEqual([
      { jsonrpc: "2.0", id: "s1", error: { code: -32000, message: "Nobody is here." } },
    ]);
  });

  it("that nobody handles is refused", async () => {
    const { server } = await connected<TestHub>();
    expect(await ask(server.socket)).toMatchObject([{ id: "s1", error: { code: -32601 } }]);
  });

  it("is not answered on another connection", async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const { server } = await connected<TestHub>({ handlers: { confirm: () => promise } });
    await ask(server.socket);
    server.socket.end();
    await pass(500);
    server.socket.greet();
    resolve(true);
    await pass();
    expect(server.socket.said).toEqual([]);
  });
});

describe("a connection that comes back", () => {
  const events = async (hello: object, options = {}) => {
    const setting = await connected<TestHub>(options, { position: "e:10", connectionId: "c-1" });
    const told: unknown[] = [];
    setting.client.onRecovered(({ replayed }) => told.push({ replayed }));
    setting.client.onReload(({ room }) => told.push({ room }));
    setting.client.onMessage(({ position }) => told.push(position));
    setting.server.socket.say(said("e:11", "hi"));
    setting.server.socket.end();
    await pass(500);
    setting.server.socket.greet({ connectionId: "c-2", ...hello });
    return { ...setting, told };
  };

  it("names where it stands and whom it was", async () => {
    const { server } = await events({});
    expect(server.sockets.map(({ query }) => query)).toEqual([
      { access_token: "t" },
      { access_token: "t", since: "e:11", connection: "c-1" },
    ]);
  });

  it("and was recovered goes on from what it has heard", async () => {
    const { server, client, told } = await events({
      recovered: true,
      position: "e:14",
      replayed: 2,
    });
    server.socket.say([said("e:12", "missed"), said("e:13", "missed, too")]);
    expect(told).toEqual(["e:11", { replayed: 2 }, "e:12", "e:13"]);
    // 14 was not for it.
    expect(client.position).toBe("e:14");
  });

  it("and is lost amid the replay asks for the rest, as the connection that missed it", async () => {
    const { server } = await events({ recovered: true, position: "e:14", replayed: 3 });
    server.socket.say(said("e:12", "missed"));
    server.socket.end();
    await pass(1_000);
    expect(server.socket.query).toMatchObject({ since: "e:12", connection: "c-1" });
  });

  it("and was not recovered must reload, and stands where the server says", async () => {
    const { server, client, told } = await events({ recovered: false, position: "f:2" });
    server.socket.say(said("f:3", "new"));
    expect(told).toEqual(["e:11", { room: "group:lobby" }, "f:3"]);
    expect(client.position).toBe("f:3");
  });

  it("reloads a joined room that the server could not bring up to date", async () => {
    const { server, told } = await events({ recovered: true, position: "e:11" });
    server.socket.say({ method: "$/reset", params: {}, room: "order:7" });
    expect(told.slice(1)).toEqual([{ replayed: 0 }, { room: "order:7" }]);
  });

  it("hears a joined room from its start, for joins end with their connection", async () => {
    const { server, told } = await events({ recovered: true, position: "e:11" });
    server.socket.say(said("g:5", "before", "order:7"));
    server.socket.end();
    await pass(1_000);
    server.socket.greet({ recovered: true, position: "e:11" });
    server.socket.say(said("g:4", "again", "order:7"));
    expect(told.filter((one) => typeof one === "string")).toEqual(["e:11", "g:5", "g:4"]);
  });

  it("takes up where the application's state stands, if it comes with one", async () => {
    const { server, client } = await connected<TestHub>(
      { since: "e:3" },
      { recovered: true, position: "e:4", replayed: 1 },
    );
    const heard: Message[] = [];
    client.onMessage((message) => heard.push(message));
    expect(server.socket.query).toMatchObject({ since: "e:3" });
    server.socket.say(said("e:4", "missed"));
    expect(heard).toHaveLength(1);
  });
});

describe("presence", () => {
  const member = (userId: string, state: unknown = null) => ({
    userId,
    since: 1,
    connections: 1,
    state,
  });
  const present = (...members: object[]) => ({
    users: members.length,
    connections: 2,
    members,
    more: false,
  });
  const change = (position: string, params: object, room = "group:lobby") => ({
    method: "$/presence",
    params,
    room,
    position,
  });

  it("begins with who is there and follows who comes, goes and shows something", async () => {
    const { server, client } = await connected<TestHub>({}, { present: present(member("bob")) });
    const seen: string[][] = [];
    client.onPresence(({ members }) => seen.push([...members.keys()]));
    const joined = [{ userId: "carol", since: 2 }];
    server.socket.say(change("e:11", { users: 2, connections: 3, joined, left: [], more: false }));
    server.socket.say(change("e:12", { tracked: [{ userId: "carol", state: "typing" }] }));
    server.socket.say(change("e:13", { users: 1, connections: 1, joined: [], left: ["bob"] }));
    server.socket.say(change("o:1", { joined: [{ userId: "dave", since: 2 }] }, "order:1"));
    expect(seen).toEqual([["bob", "carol"], ["bob", "carol"], ["carol"]]);
    expect(client.presence).toEqual({
      users: 1,
      connections: 1,
      members: new Map([["carol", { userId: "carol", since: 2, state: "typing" }]]),
      more: false,
    });
  });

  it("is not set back by what is replayed", async () => {
    const { server, client } = await connected<TestHub>();
    server.socket.end();
    await pass(500);
    const now = present(member("bob"));
    server.socket.greet({ recovered: true, position: "e:12", replayed: 2, present: now });
    server.socket.say(change("e:11", { users: 9, joined: [{ userId: "carol", since: 2 }] }));
    expect([...client.presence.members.keys()]).toEqual(["bob"]);
    server.socket.say(change("e:12", { users: 9, connections: 9, left: ["carol"] }));
    expect(client.presence).toMatchObject({ users: 1, connections: 2 });
    expect([...client.presence.members.keys()]).toEqual(["bob"]);
    server.socket.say(change("e:13", { users: 2, joined: [{ userId: "dave", since: 2 }] }));
    expect([...client.presence.members.keys()]).toEqual(["bob", "dave"]);
  });

  it.each([
    ["is shown again after a return for which it was gone", [], true],
    ["is not shown again where it still stands", [member("alice", { mood: "good" })], false],
  ])("of its own user %s", async (_title, members, isShown) => {
    const { server, client } = await connected<TestHub>();
    const tracking = client.track({ mood: "good" });
    await pass();
    const track = { method: "$/track", params: [{ state: { mood: "good" } }] };
    expect(server.socket.said).toMatchObject([track]);
    server.socket.say({ id: server.socket.said[0]!.id!, result: null });
    await tracking;
    server.socket.end();
    await pass(500);
    server.socket.greet({ recovered: true, present: present(...members) });
    await pass();
    expect(server.socket.said).toMatchObject(isShown ? [track] : []);
  });

  it("that was untracked is not shown again", async () => {
    const { server, client } = await connected<TestHub>();
    void client.track(1).catch(() => {});
    void client.untrack().catch(() => {});
    await pass();
    server.socket.end();
    await pass(500);
    server.socket.greet();
    await pass();
    expect(server.socket.said).toEqual([]);
  });
});
