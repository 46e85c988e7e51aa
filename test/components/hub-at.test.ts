// Shared connections: which holders share one, and when it closes.

import { describe, expect, it, onTestFinished, vi } from "vitest";
import { hubAt, type HubAt, type HubAtOptions } from "../../src/components/hub-at.ts";
import { callsIn } from "../../src/components/room-calls.ts";
import type { TestHub } from "../client/hubs.ts";
import { FakeServer, outcomeOf, advance } from "../client/server.ts";

/** On a fake clock. Fails the test if timers are left after the last release. */
function setUp(options: Partial<HubAtOptions> = {}): Setting {
  vi.useFakeTimers();
  const server = new FakeServer();
  onTestFinished(async () => {
    await advance();
    const left = vi.getTimerCount();
    vi.useRealTimers();
    if (left > 0) throw new Error(`${left} timers are left after the last has let go.`);
  });
  const { WebSocket } = server;
  return {
    server,
    hub: hubAt<TestHub>("wss://host/hubs/test", { token: "t", WebSocket, ...options }),
  };
}

interface Setting {
  readonly hub: HubAt<TestHub>;
  readonly server: FakeServer;
}

const LOBBY = "group:lobby";

describe("hubAt", () => {
  it("opens nothing until somebody holds a room", async () => {
    const { hub, server } = setUp();
    expect(hub.peek(LOBBY)).toBeUndefined();
    await advance();
    expect(server.sockets).toEqual([]);
  });

  it("gives all who hold a room one connection, and those of another room another", async () => {
    const { hub, server } = setUp();
    const [one, two, other] = [hub.hold(LOBBY), hub.hold(LOBBY), hub.hold("order:42")];
    await advance();
    expect(two.connection).toBe(one.connection);
    expect(hub.peek(LOBBY)).toBe(one.connection);
    expect(server.sockets.map(({ url }) => url.pathname)).toEqual([
      "/hubs/test/groups/lobby",
      "/hubs/test/orders/42",
    ]);
    for (const held of [one, two, other]) held.release();
  });

  it("closes with the last who lets go, however often the others do", async () => {
    const { hub } = setUp();
    const [one, two] = [hub.hold(LOBBY), hub.hold(LOBBY)];
    for (let i = 0; i < 3; i += 1) one.release();
    await advance();
    expect(one.connection.state.status).toBe("connecting");
    two.release();
    await advance();
    expect([one.connection.state.status, hub.peek(LOBBY)]).toEqual(["closed", undefined]);
  });

  it("keeps a connection that is let go and held again at once", async () => {
    const { hub, server } = setUp();
    const one = hub.hold(LOBBY);
    one.release();
    const two = hub.hold(LOBBY);
    await advance();
    expect(two.connection).toBe(one.connection);
    expect(server.sockets).toHaveLength(1);
    two.release();
  });

  it("opens a new one for who comes after the last has gone", async () => {
    const { hub } = setUp();
    const one = hub.hold(LOBBY);
    one.release();
    await advance();
    const two = hub.hold(LOBBY);
    expect(two.connection).not.toBe(one.connection);
    two.release();
  });

  it("begins anew where the connection has ended by itself and all have let go", async () => {
    const { hub, server } = setUp({ maxRetries: 0 });
    const one = hub.hold(LOBBY);
    await advance();
    server.socket.fail();
    await advance();
    expect(one.connection.state.status).toBe("closed");
    one.release();
    const two = hub.hold(LOBBY);
    await advance();
    expect(two.connection.state.status).toBe("connecting");
    expect(hub.peek(LOBBY)).toBe(two.connection);
    two.release();
  });

  it.each([false, true])(
    "shows why it is refused in the state of a room (oneSocket: %s)",
    async (oneSocket) => {
      vi.spyOn(console, "error").mockImplementation(() => {});
      onTestFinished(() => void vi.restoreAllMocks());
      const { hub, server } = setUp({ oneSocket });
      const { connection, release } = hub.hold(LOBBY);
      await advance();
      const refused = { status: 404, code: "hub_not_found", message: "None.", action: "Look." };
      server.socket.refuse(refused);
      await advance(120_000);
      expect(connection.state).toMatchObject({ status: "closed", error: refused });
      expect(server.sockets).toHaveLength(1);
      release();
    },
  );

  it("begins where the first who holds a room says that it stands", async () => {
    const { hub, server } = setUp();
    const held = hub.hold(LOBBY, "e:7");
    await advance();
    expect(server.socket.query).toMatchObject({ since: "e:7", access_token: "t" });
    held.release();
  });

  it("refuses a room that has no address", () => {
    const { hub } = setUp();
    expect(() => hub.hold("group:")).toThrow(expect.objectContaining({ code: "invalid_name" }));
  });
});

describe("a room's calls", () => {
  it("open the connection for a component that is about to hold it, and wait for it", async () => {
    const { hub, server } = setUp();
    const { invoke } = callsIn({ hub, room: LOBBY });
    const sum = invoke.add(1, 2);
    const held = hub.hold(LOBBY);
    await advance();
    server.socket.greet();
    await advance();
    const [call] = server.socket.sentMessages;
    expect(call).toMatchObject({ method: "add", params: [1, 2] });
    server.socket.deliver({ jsonrpc: "2.0", id: call?.id, result: 3 });
    expect(await outcomeOf(sum)).toEqual({ value: 3 });
    expect(server.sockets).toHaveLength(1);
    held.release();
  });

  it("of nobody who stays are closed at once", async () => {
    const { hub } = setUp();
    const { invoke } = callsIn({ hub, room: LOBBY });
    const outcome = outcomeOf(invoke.add(1));
    await advance();
    expect(await outcome).toEqual({ code: "closed" });
    expect(hub.peek(LOBBY)).toBeUndefined();
  });

  it("are refused as closed where there is no room", async () => {
    const { hub, server } = setUp();
    const { invoke, send, stream } = callsIn({ hub, room: null });
    expect(await outcomeOf(invoke.say("hi"))).toEqual({ code: "closed" });
    expect(() => send.say("hi")).toThrow(expect.objectContaining({ code: "closed" }));
    expect(() => stream.count(3)).toThrow(expect.objectContaining({ code: "closed" }));
    expect(server.sockets).toEqual([]);
  });
});

describe("hubAt with one socket", () => {
  const HELLO = { connectionId: "c-1", userId: "alice", pingSeconds: 15 };
  const JOINED = { position: "e:1", recovered: false, replayed: 0 };

  it("opens one for twenty rooms, joins each, and closes it with the last", async () => {
    const { hub, server } = setUp({ oneSocket: true });
    const rooms = Array.from({ length: 20 }, (_, i) => `group:${i}` as const);
    const held = rooms.map((room) => hub.hold(room));
    await advance();
    server.socket.accept();
    server.socket.deliver({ method: "$/connected", params: HELLO });
    await advance();
    const joins = server.socket.sentMessages.filter(({ method }) => method === "$/join");
    expect(joins.map(({ params }) => (params as [{ room: string }])[0].room)).toEqual(rooms);
    for (const { id } of joins) server.socket.deliver({ id: id!, result: JOINED });
    await advance();
    expect(held.map(({ connection }) => connection.state.status)).toEqual(
      rooms.map(() => "connected"),
    );
    expect(server.sockets.map(({ url }) => url.pathname)).toEqual(["/hubs/test/rpc"]);
    for (const one of held.slice(1)) one.release();
    await advance();
    expect(server.socket.closedWith).toBeUndefined();
    held[0]!.release();
    await advance();
    expect(server.socket.closedWith).toBe(1000);
  });

  it("moves from one room to another on the same socket", async () => {
    const { hub, server } = setUp({ oneSocket: true });
    const before = hub.hold("group:a");
    await advance();
    before.release();
    const after = hub.hold("group:b");
    await advance();
    expect(server.sockets).toHaveLength(1);
    after.release();
  });
});
