// Received messages: each once and in order, calls that expect a result, presence, and recovery after a loss.

import { describe, expect, it, vi } from "vitest";
import { PING } from "../../../src/model/wire-constants.ts";
import type { Message } from "../../../src/client/index.ts";
import type { TestHub } from "../hubs.ts";
import { connectedClient, advance, type FakeSocket } from "../server.ts";

const messageAt = (position: string, text: string, room = "group:lobby") => ({
  method: "said",
  params: ["bob", text],
  room,
  position,
});

describe("what is said", () => {
  it("reaches handlers, listeners and whoever listens to everything", async () => {
    const received: unknown[] = [];
    const { server, client } = await connectedClient<TestHub>({
      handlers: { said: (user, text) => received.push(["handler", user, text]) },
    });
    const off = client.on("said", (_user, text) => received.push(["listener", text]));
    client.onMessage((message) => received.push(message));
    server.socket.deliver(messageAt("e:11", "hi"));
    off();
    server.socket.deliver([{ method: "said", params: ["bob", "to you alone"] }]);
    expect(received).toEqual([
      ["handler", "bob", "hi"],
      ["listener", "hi"],
      messageAt("e:11", "hi"),
      ["handler", "bob", "to you alone"],
      { method: "said", params: ["bob", "to you alone"] },
    ]);
  });

  it("is not lost on those after a handler that throws", async () => {
    const error = vi.spyOn(console, "error").mockReturnValue();
    const received: string[] = [];
    const { server, client } = await connectedClient<TestHub>({
      handlers: {
        said: () => {
          throw new Error("of the application");
        },
      },
    });
    client.on("said", (_user, text) => received.push(text));
    client.on("said", () => Promise.reject(new Error("later")));
    server.socket.deliver([messageAt("e:11", "one"), messageAt("e:12", "two")]);
    await advance();
    expect(received).toEqual(["one", "two"]);
    expect(error).toHaveBeenCalledTimes(4);
    error.mockRestore();
  });

  it("ends with a close by the handler of a message, also within its frame", async () => {
    const received: string[] = [];
    const { server, client } = await connectedClient<TestHub>();
    client.on("said", (_user, text) => {
      received.push(text);
      client.close();
    });
    server.socket.deliver([messageAt("e:11", "one"), messageAt("e:12", "two")]);
    expect(received).toEqual(["one"]);
  });

  it("twice at one position is heard once, and another epoch is another count", async () => {
    const received: string[] = [];
    const { server, client } = await connectedClient<TestHub>();
    client.on("said", (_user, text) => received.push(text));
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
      server.socket.deliver(messageAt(position, position, room));
    expect(received).toEqual(["e:11", "f:3", "g:1", "g:2"]);
    expect(client.position).toBe("f:3");
  });

  it("as nonsense is told as an error, and what follows is heard", async () => {
    const received: string[] = [];
    const { server, client } = await connectedClient<TestHub>();
    client.on("said", (_user, text) => received.push(text));
    client.onError(({ code }) => received.push(code));
    server.socket.deliver("no JSON");
    server.socket.deliver({
      id: null,
      error: { code: -32006, message: "", data: { code: "too_large" } },
    });
    server.socket.deliver(PING);
    server.socket.deliver({ method: "$/news", params: {} });
    server.socket.deliver(messageAt("e:11", "hi"));
    expect(received).toEqual(["malformed", "too_large", "hi"]);
  });
});

describe("a question of the hub", () => {
  const ask = async (socket: FakeSocket) => {
    socket.deliver({ id: "s1", method: "confirm", params: ["sure?"] });
    await advance();
    return socket.sentMessages;
  };

  it("is answered with what the handler returns", async () => {
    const { server } = await connectedClient<TestHub>({
      handlers: { confirm: async (question) => question === "sure?" },
    });
    expect(await ask(server.socket)).toEqual([{ jsonrpc: "2.0", id: "s1", result: true }]);
  });

  it("is answered with the error that the handler throws", async () => {
    const { server } = await connectedClient<TestHub>({
      handlers: { confirm: () => Promise.reject(new Error("Nobody is here.")) },
    });
    expect(await ask(server.socket)).toEqual([
      { jsonrpc: "2.0", id: "s1", error: { code: -32000, message: "Nobody is here." } },
    ]);
  });

  it("that nobody handles is refused", async () => {
    const { server } = await connectedClient<TestHub>();
    expect(await ask(server.socket)).toMatchObject([{ id: "s1", error: { code: -32601 } }]);
  });

  it("is not answered on another connection", async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const { server } = await connectedClient<TestHub>({ handlers: { confirm: () => promise } });
    await ask(server.socket);
    server.socket.end();
    await advance(500);
    server.socket.greet();
    resolve(true);
    await advance();
    expect(server.socket.sentMessages).toEqual([]);
  });
});

describe("a connection that comes back", () => {
  const events = async (hello: object, options = {}) => {
    const setting = await connectedClient<TestHub>(options, {
      position: "e:10",
      connectionId: "c-1",
    });
    const log: unknown[] = [];
    setting.client.onRecovered(({ replayed }) => log.push({ replayed }));
    setting.client.onReload(({ room }) => log.push({ room }));
    setting.client.onMessage(({ position }) => log.push(position));
    setting.server.socket.deliver(messageAt("e:11", "hi"));
    setting.server.socket.end();
    await advance(500);
    setting.server.socket.greet({ connectionId: "c-2", ...hello });
    return { ...setting, log };
  };

  it("names where it stands and whom it was", async () => {
    const { server } = await events({});
    expect(server.sockets.map(({ query }) => query)).toEqual([
      { access_token: "t" },
      { access_token: "t", since: "e:11", connection: "c-1" },
    ]);
  });

  it("and was recovered goes on from what it has heard", async () => {
    const { server, client, log } = await events({
      recovered: true,
      position: "e:14",
      replayed: 2,
    });
    server.socket.deliver([messageAt("e:12", "missed"), messageAt("e:13", "missed, too")]);
    expect(log).toEqual(["e:11", { replayed: 2 }, "e:12", "e:13"]);
    // Offset 14 is a gap: that message excluded this connection.
    expect(client.position).toBe("e:14");
  });

  it("and is lost amid the replay asks for the rest, as the connection that missed it", async () => {
    const { server } = await events({ recovered: true, position: "e:14", replayed: 3 });
    server.socket.deliver(messageAt("e:12", "missed"));
    server.socket.end();
    await advance(1_000);
    expect(server.socket.query).toMatchObject({ since: "e:12", connection: "c-1" });
  });

  it("and was not recovered must reload, and stands where the server says", async () => {
    const { server, client, log } = await events({ recovered: false, position: "f:2" });
    server.socket.deliver(messageAt("f:3", "new"));
    expect(log).toEqual(["e:11", { room: "group:lobby" }, "f:3"]);
    expect(client.position).toBe("f:3");
  });

  it("reloads a joined room that the server could not bring up to date", async () => {
    const { server, log } = await events({ recovered: true, position: "e:11" });
    server.socket.deliver({ method: "$/reset", params: {}, room: "order:7" });
    expect(log.slice(1)).toEqual([{ replayed: 0 }, { room: "order:7" }]);
  });

  it("hears a joined room from its start, for joins end with their connection", async () => {
    const { server, log } = await events({ recovered: true, position: "e:11" });
    server.socket.deliver(messageAt("g:5", "before", "order:7"));
    server.socket.end();
    await advance(1_000);
    server.socket.greet({ recovered: true, position: "e:11" });
    server.socket.deliver(messageAt("g:4", "again", "order:7"));
    expect(log.filter((one) => typeof one === "string")).toEqual(["e:11", "g:5", "g:4"]);
  });

  it("takes up where the application's state stands, if it comes with one", async () => {
    const { server, client } = await connectedClient<TestHub>(
      { since: "e:3" },
      { recovered: true, position: "e:4", replayed: 1 },
    );
    const received: Message[] = [];
    client.onMessage((message) => received.push(message));
    expect(server.socket.query).toMatchObject({ since: "e:3" });
    server.socket.deliver(messageAt("e:4", "missed"));
    expect(received).toHaveLength(1);
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
    const { server, client } = await connectedClient<TestHub>(
      {},
      { present: present(member("bob")) },
    );
    const seen: string[][] = [];
    client.onPresence(({ members }) => seen.push([...members.keys()]));
    const joined = [{ userId: "carol", since: 2 }];
    server.socket.deliver(
      change("e:11", { users: 2, connections: 3, joined, left: [], more: false }),
    );
    server.socket.deliver(change("e:12", { tracked: [{ userId: "carol", state: "typing" }] }));
    server.socket.deliver(change("e:13", { users: 1, connections: 1, joined: [], left: ["bob"] }));
    server.socket.deliver(change("o:1", { joined: [{ userId: "dave", since: 2 }] }, "order:1"));
    expect(seen).toEqual([["bob", "carol"], ["bob", "carol"], ["carol"]]);
    expect(client.presence).toEqual({
      users: 1,
      connections: 1,
      members: new Map([["carol", { userId: "carol", since: 2, state: "typing" }]]),
      more: false,
    });
  });

  it("is not set back by what is replayed", async () => {
    const { server, client } = await connectedClient<TestHub>();
    server.socket.end();
    await advance(500);
    const now = present(member("bob"));
    server.socket.greet({ recovered: true, position: "e:12", replayed: 2, present: now });
    server.socket.deliver(change("e:11", { users: 9, joined: [{ userId: "carol", since: 2 }] }));
    expect([...client.presence.members.keys()]).toEqual(["bob"]);
    server.socket.deliver(change("e:12", { users: 9, connections: 9, left: ["carol"] }));
    expect(client.presence).toMatchObject({ users: 1, connections: 2 });
    expect([...client.presence.members.keys()]).toEqual(["bob"]);
    server.socket.deliver(change("e:13", { users: 2, joined: [{ userId: "dave", since: 2 }] }));
    expect([...client.presence.members.keys()]).toEqual(["bob", "dave"]);
  });

  it.each([
    ["is shown again after a return for which it was gone", [], true],
    ["is not shown again where it still stands", [member("alice", { mood: "good" })], false],
  ])("of its own user %s", async (_title, members, isShown) => {
    const { server, client } = await connectedClient<TestHub>();
    const tracking = client.track({ mood: "good" });
    await advance();
    const track = { method: "$/track", params: [{ state: { mood: "good" } }] };
    expect(server.socket.sentMessages).toMatchObject([track]);
    server.socket.deliver({ id: server.socket.sentMessages[0]!.id!, result: null });
    await tracking;
    server.socket.end();
    await advance(500);
    server.socket.greet({ recovered: true, present: present(...members) });
    await advance();
    expect(server.socket.sentMessages).toMatchObject(isShown ? [track] : []);
  });

  it("whose showing a second loss interrupts is left to the next greeting", async () => {
    const { server, client } = await connectedClient<TestHub>();
    void client.track({ mood: "good" }).catch(() => {});
    await advance();
    for (const members of [[], [member("alice", { mood: "good" })]]) {
      const { socket } = server;
      socket.end();
      // oxlint-disable-next-line no-await-in-loop -- one loss after another
      await advance(1_000);
      expect(server.socket).not.toBe(socket);
      server.socket.greet({ recovered: true, present: present(...members) });
      // oxlint-disable-next-line no-await-in-loop -- as above
      await advance();
    }
    await advance(5_000);
    expect(server.socket.sentMessages).toEqual([]);
  });

  it("that was untracked is not shown again", async () => {
    const { server, client } = await connectedClient<TestHub>();
    void client.track(1).catch(() => {});
    void client.untrack().catch(() => {});
    await advance();
    server.socket.end();
    await advance(500);
    server.socket.greet();
    await advance();
    expect(server.socket.sentMessages).toEqual([]);
  });
});
