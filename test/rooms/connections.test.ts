// The sockets of one object, with sockets that the test makes: slow ones, closing ones, silent ones.

import { describe, expect, it } from "vitest";
import { DEFAULTS } from "../../src/model/options.ts";
import type { User } from "../../src/model/user.ts";
import type { Attached } from "../../src/rooms/connection.ts";
import { Connections } from "../../src/rooms/connections.ts";

class Socket {
  readyState = WebSocket.OPEN;
  bufferedAmount = 0;
  readonly sent: string[] = [];
  closedWith: unknown;
  pingedAt: number | undefined;
  #attachment: unknown = null;

  send(frame: string): void {
    if (this.readyState !== WebSocket.OPEN) throw new TypeError("Can't send after close.");
    this.sent.push(frame);
  }
  close(code: number): void {
    if (this.closedWith !== undefined) throw new TypeError("Closed already.");
    this.closedWith = code;
  }
  serializeAttachment(value: unknown): void {
    this.#attachment = structuredClone(value);
  }
  deserializeAttachment(): unknown {
    return structuredClone(this.#attachment);
  }
}

const attached = (id: string, more: Partial<Attached> = {}): Attached => ({
  id,
  protocol: "json-rpc",
  user: { id, expiresAt: 1e9 } as User,
  connectedAt: 0,
  heardAt: 0,
  openCalls: [],
  ...more,
});

function objectWith(sockets: Socket[] = []) {
  const dropped: unknown[] = [];
  const state = {
    acceptWebSocket: (socket: unknown) => void sockets.push(socket as Socket),
    getWebSockets: () => sockets,
    setWebSocketAutoResponse() {},
    getWebSocketAutoResponse: () => null,
    getWebSocketAutoResponseTimestamp: (socket: unknown) => {
      const { pingedAt } = socket as Socket;
      return pingedAt === undefined ? null : new Date(pingedAt);
    },
  } as unknown as ConstructorParameters<typeof Connections>[0];
  const connections = new Connections(state, DEFAULTS, ({ id }, { code }) =>
    dropped.push([id, code]),
  );
  const accept = (id: string, more?: Partial<Attached>) => {
    const socket = new Socket();
    return {
      socket,
      connection: connections.accept(socket as unknown as WebSocket, attached(id, more)),
    };
  };
  return { connections, dropped, accept, sockets };
}

describe("the connections of an object", () => {
  it("are found by id and by socket, also after a wake, and not when they are closing", () => {
    const { accept, sockets } = objectWith();
    const [alice, bob] = [accept("alice"), accept("bob")];
    bob.socket.readyState = WebSocket.CLOSING;
    const { connections } = objectWith(sockets);
    expect([...connections.all].map(({ id }) => id)).toEqual(["alice"]);
    expect(connections.of(alice.socket as unknown as WebSocket)?.id).toBe("alice");
    expect(connections.of(bob.socket as unknown as WebSocket)).toBeUndefined();
    expect(connections.get("alice")).toBe(connections.of(alice.socket as unknown as WebSocket));
  });

  it("are closed with 4408 when too much waits for them, once, and get nothing more", () => {
    const { connections, dropped, accept } = objectWith();
    const { socket, connection } = accept("slow");
    connections.greet(connection);
    socket.bufferedAmount = DEFAULTS.limits.queuedBytes;
    // Looked at after an eighth of the limit was written.
    const eighth = "x".repeat(DEFAULTS.limits.queuedBytes / 8);
    connections.send(connection, [eighth]);
    connections.send(connection, ["last"]);
    socket.bufferedAmount++;
    connections.send(connection, [eighth]);
    connections.send(connection, ["lost"]);
    connections.send(connection, ["lost"]);
    expect(socket.sent).toEqual([eighth, "last", eighth]);
    expect([socket.closedWith, dropped]).toEqual([4408, [["slow", 4408]]]);
    expect(connections.all.size).toBe(0);
  });

  it("hear nothing before they are greeted, and then everything in order", () => {
    const { connections, accept } = objectWith();
    const { socket, connection } = accept("new");
    connections.send(connection, ["hello"]);
    connections.send(connection, ["first", "second"]);
    expect(socket.sent).toEqual([]);
    connections.greet(connection);
    connections.send(connection, ["third"]);
    expect(socket.sent).toEqual(["hello", "first", "second", "third"]);
  });

  it("that closed meanwhile take no frames, and break nothing", () => {
    const { connections, accept } = objectWith();
    const { socket, connection } = accept("gone");
    connections.greet(connection);
    socket.readyState = WebSocket.CLOSED;
    connections.send(connection, ["lost"]);
    socket.send = () => {
      throw new TypeError("Can't send after close.");
    };
    socket.readyState = WebSocket.OPEN;
    connections.send(connection, ["lost"]);
    expect(socket.sent).toEqual([]);
  });

  it("fall silent 75 s after the later of ping and message, if they ever pinged", () => {
    const { connections, dropped, accept } = objectWith();
    const pings = { never: undefined, early: 0, late: 100_000, talking: 0 };
    for (const [id, pingedAt] of Object.entries(pings)) {
      const { socket, connection } = accept(id);
      socket.pingedAt = pingedAt;
      if (id === "talking") connections.heard(connection, 100_000);
    }
    connections.run(130_000);
    expect(dropped).toEqual([["early", 4410]]);
    connections.run(130_001 + 120_000);
    expect(dropped.slice(1)).toEqual([
      ["late", 4410],
      ["talking", 4410],
    ]);
  });

  it("are looked at once a sweep, however often the alarm rings, and at once after a wake", () => {
    const { connections, dropped, accept, sockets } = objectWith();
    accept("alice").socket.pingedAt = 100_000;
    connections.run(120_000);
    connections.run(200_000);
    expect([dropped, connections.due()]).toEqual([[], 240_000]);
    const woken = objectWith(sockets);
    woken.connections.run(200_000);
    expect(woken.dropped).toEqual([["alice", 4410]]);
  });

  it("remember across sleep, to within a third of a ping, when they were heard", () => {
    const { connections, accept, sockets } = objectWith();
    const { connection } = accept("alice");
    for (const now of [4_999, 9_000, 12_000]) connections.heard(connection, now);
    const [woken] = objectWith(sockets).connections.all;
    expect(woken?.heardAt).toBe(9_000);
  });

  it("end when not one byte was taken between two sweeps, or the socket closed without a word", () => {
    const { connections, dropped, accept } = objectWith();
    const all = ["stuck", "slow", "busy", "idle", "closed"].map((id) => accept(id));
    for (const { connection } of all) connections.greet(connection);
    const [stuck, slow, busy, , closed] = all.map(({ socket }) => socket);
    for (const { socket, connection } of all.slice(0, 3)) {
      socket.send = (frame) => void (socket.bufferedAmount += frame.length);
      connections.send(connection, ["12345"]);
    }
    busy!.bufferedAmount = 0;
    connections.run(120_000);
    expect(dropped).toEqual([]);
    slow!.bufferedAmount -= 1;
    for (const { connection } of all.slice(0, 3)) connections.send(connection, ["12345"]);
    closed!.readyState = WebSocket.CLOSED;
    connections.run(240_000);
    expect(dropped).toEqual([
      ["stuck", 4408],
      ["closed", 4408],
    ]);
    busy!.bufferedAmount = 0;
    for (const { connection } of all.slice(1, 3)) connections.send(connection, ["12345"]);
    connections.run(360_000);
    expect(dropped.slice(2)).toEqual([["slow", 4408]]);
    expect(stuck!.closedWith).toBe(4408);
  });

  it("may say a hundred things before they are greeted, and are closed with 4429 at one more", () => {
    const { connections, dropped, accept } = objectWith();
    const { connection } = accept("eager");
    const words = Array.from({ length: DEFAULTS.limits.queuedCalls }, (_, n) => `${n}`);
    for (const word of words) connections.delay(connection, word);
    expect([connection.early, dropped]).toEqual([words, []]);
    connections.delay(connection, "one more");
    expect(dropped).toEqual([["eager", 4429]]);
  });

  it("that end are known once, also where they ended while the object slept", () => {
    const { connections, accept, sockets } = objectWith();
    const [alice, bob] = [accept("alice"), accept("bob")].map(
      ({ socket }) => socket as unknown as WebSocket,
    );
    const ended = (among: Connections, socket: WebSocket) => {
      const found = among.ended(socket);
      if (found) among.remove(found.connection);
      return found && [found.connection.id, found.asleep];
    };
    expect([ended(connections, alice!), ended(connections, alice!)]).toEqual([
      ["alice", false],
      undefined,
    ]);
    const woken = objectWith(sockets.slice(0, 0)).connections;
    expect([ended(woken, bob!), ended(woken, bob!)]).toEqual([["bob", true], undefined]);
    const again = objectWith(sockets).connections;
    expect([again.all.size, ended(again, bob!)]).toEqual([0, undefined]);
  });

  it("are closed when their token expires, whoever was looked at before", () => {
    const { connections, dropped, accept } = objectWith();
    const user = { id: "alice", expiresAt: 130_000 } as User;
    accept("alice", { user });
    connections.run(120_000);
    expect(connections.due()).toBe(130_000);
    connections.run(129_999);
    connections.run(130_000);
    expect(dropped).toEqual([["alice", 4401]]);
    expect(connections.due()).toBeUndefined();
  });
});
