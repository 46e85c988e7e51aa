// Who shares which connection, and for how long.

import { describe, expect, it, onTestFinished, vi } from "vitest";
import { hubAt, type HubAt, type HubAtOptions } from "../../src/react/hub-at.ts";
import { callsIn } from "../../src/react/room-calls.ts";
import type { TestHub } from "../client/hubs.ts";
import { FakeServer, outcomeOf, pass } from "../client/server.ts";

/** On a fake clock, which nothing may be left on. */
function described(options: Partial<HubAtOptions> = {}): Described {
  vi.useFakeTimers();
  const server = new FakeServer();
  onTestFinished(async () => {
    await pass();
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

interface Described {
  readonly hub: HubAt<TestHub>;
  readonly server: FakeServer;
}

const LOBBY = "group:lobby";

describe("hubAt", () => {
  it("opens nothing until somebody holds a room", async () => {
    const { hub, server } = described();
    expect(hub.peek(LOBBY)).toBeUndefined();
    await pass();
    expect(server.sockets).toEqual([]);
  });

  it("gives all who hold a room one connection, and those of another room another", async () => {
    const { hub, server } = described();
    const [one, two, other] = [hub.hold(LOBBY), hub.hold(LOBBY), hub.hold("order:42")];
    await pass();
    expect(two.connection).toBe(one.connection);
    expect(hub.peek(LOBBY)).toBe(one.connection);
    expect(server.sockets.map(({ url }) => url.pathname)).toEqual([
      "/hubs/test/groups/lobby",
      "/hubs/test/orders/42",
    ]);
    for (const held of [one, two, other]) held.release();
  });

  it("closes with the last who lets go, however often the others do", async () => {
    const { hub } = described();
    const [one, two] = [hub.hold(LOBBY), hub.hold(LOBBY)];
    for (let i = 0; i < 3; i += 1) one.release();
    await pass();
    expect(one.connection.state.status).toBe("connecting");
    two.release();
    await pass();
    expect([one.connection.state.status, hub.peek(LOBBY)]).toEqual(["closed", undefined]);
  });

  it("keeps a connection that is let go and held again at once", async () => {
    const { hub, server } = described();
    const one = hub.hold(LOBBY);
    one.release();
    const two = hub.hold(LOBBY);
    await pass();
    expect(two.connection).toBe(one.connection);
    expect(server.sockets).toHaveLength(1);
    two.release();
  });

  it("opens a new one for who comes after the last has gone", async () => {
    const { hub } = described();
    const one = hub.hold(LOBBY);
    one.release();
    await pass();
    const two = hub.hold(LOBBY);
    expect(two.connection).not.toBe(one.connection);
    two.release();
  });

  it("begins anew where the connection has ended by itself and all have let go", async () => {
    const { hub, server } = described({ maxRetries: 0 });
    const one = hub.hold(LOBBY);
    await pass();
    server.socket.fail();
    await pass();
    expect(one.connection.state.status).toBe("closed");
    one.release();
    const two = hub.hold(LOBBY);
    await pass();
    expect(two.connection.state.status).toBe("connecting");
    expect(hub.peek(LOBBY)).toBe(two.connection);
    two.release();
  });

  it("begins where the first who holds a room says that it stands", async () => {
    const { hub, server } = described();
    const held = hub.hold(LOBBY, "e:7");
    await pass();
    expect(server.socket.query).toMatchObject({ since: "e:7", access_token: "t" });
    held.release();
  });

  it("refuses a room that has no address", () => {
    const { hub } = described();
    expect(() => hub.hold("group:")).toThrow(expect.objectContaining({ code: "invalid_name" }));
  });
});

describe("a room's calls", () => {
  it("open the connection for a component that is about to hold it, and wait for it", async () => {
    const { hub, server } = described();
    const { invoke } = callsIn({ hub, room: LOBBY });
    const sum = invoke.add(1, 2);
    const held = hub.hold(LOBBY);
    await pass();
    server.socket.greet();
    await pass();
    const [call] = server.socket.said;
    expect(call).toMatchObject({ method: "add", params: [1, 2] });
    server.socket.say({ jsonrpc: "2.0", id: call?.id, result: 3 });
    expect(await outcomeOf(sum)).toEqual({ value: 3 });
    expect(server.sockets).toHaveLength(1);
    held.release();
  });

  it("of nobody who stays are closed at once", async () => {
    const { hub } = described();
    const { invoke } = callsIn({ hub, room: LOBBY });
    const outcome = outcomeOf(invoke.add(1));
    await pass();
    expect(await outcome).toEqual({ code: "closed" });
    expect(hub.peek(LOBBY)).toBeUndefined();
  });

  it("are refused as closed where there is no room", async () => {
    const { hub, server } = described();
    const { invoke, send, stream } = callsIn({ hub, room: null });
    expect(await outcomeOf(invoke.say("hi"))).toEqual({ code: "closed" });
    expect(() => send.say("hi")).toThrow(expect.objectContaining({ code: "closed" }));
    expect(() => stream.count(3)).toThrow(expect.objectContaining({ code: "closed" }));
    expect(server.sockets).toEqual([]);
  });
});
