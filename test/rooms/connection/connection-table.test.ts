// The sockets of one object, with sockets that the test makes: slow ones, closing ones.

import { describe, expect, it } from "vitest";
import { CLOSE } from "../../../src/model/errors.ts";
import { DEFAULTS } from "../../../src/model/options.ts";
import type { User } from "../../../src/model/user.ts";
import { save } from "../../../src/rooms/connection/connection.ts";
import type { ConnectionTable } from "../../../src/rooms/connection/connection-table.ts";
import { objectWith } from "./sockets.ts";

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
    connections.open(connection);
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

  it("that the server has closed end once, whatever hub code keeps with them after that", () => {
    const { connections, accept, sockets } = objectWith();
    const { socket, connection } = accept("late");
    connections.open(connection);
    connections.close(connection, CLOSE.aborted);
    save(connection, { items: { late: true } });
    expect(connection.attached.items).toEqual({ late: true });
    socket.readyState = WebSocket.CLOSING;
    const awake = objectWith(sockets);
    expect(awake.connections.takeClosed(socket as unknown as WebSocket)).toBeUndefined();
  });

  it("hear nothing before they are greeted, and then everything in order", () => {
    const { connections, accept } = objectWith();
    const { socket, connection } = accept("new");
    connections.send(connection, ["hello"]);
    connections.send(connection, ["first", "second"]);
    expect(socket.sent).toEqual([]);
    connections.open(connection);
    connections.send(connection, ["third"]);
    expect(socket.sent).toEqual(["hello", "first", "second", "third"]);
  });

  it("are closed with 4429 when they send more than may wait before they are open", () => {
    const { connections, accept } = objectWith();
    const [eager, hostile] = [accept("eager"), accept("hostile")];
    const half = "x".repeat(DEFAULTS.limits.queuedBytes / 2);
    for (const { connection } of [eager, hostile]) {
      connections.delay(connection, half);
      connections.delay(connection, half);
    }
    connections.delay(hostile.connection, new ArrayBuffer(1));
    expect([eager.socket.closedWith, hostile.socket.closedWith]).toEqual([undefined, 4429]);
    expect(connections.open(eager.connection)).toEqual([half, half]);
  });

  it("of a user are closed with 4408, the greediest first, when too much waits for all of them", () => {
    const { connections, dropped, accept } = objectWith();
    const { heldByUser, queuedBytes } = DEFAULTS.limits;
    const user = { id: "many", expiresAt: 1e9 } as User;
    const waiting = Array.from({ length: 20 }, (_, n) => {
      const { connection, socket } = accept(`c${n}`, { user });
      connections.open(connection);
      socket.bufferedAmount = queuedBytes - n;
      return connection;
    });
    const other = accept("other");
    connections.open(other.connection);
    const chunk = "x".repeat(queuedBytes / 16);
    // Below the eighth after which a queue is looked at for its own sake.
    for (const connection of waiting) connections.send(connection, [chunk]);
    expect(dropped).toEqual([]);
    connections.write(other.connection, ["y".repeat(heldByUser)]);
    expect(dropped).toEqual(["c0", "c1", "c2", "c3"].map((id) => [id, 4408]));
  });

  it("of all users are closed with 4408, the greediest first, when too much waits in the object", () => {
    const { connections, dropped, accept } = objectWith();
    const { heldByUser, heldByObject, queuedBytes } = DEFAULTS.limits;
    const users = heldByObject / queuedBytes + 2;
    for (let n = 0; n < users; n++) {
      const { connection, socket } = accept(`u${n}`);
      connections.open(connection);
      socket.bufferedAmount = queuedBytes - n;
    }
    const reader = accept("reader");
    connections.open(reader.connection);
    connections.write(reader.connection, ["y".repeat(heldByUser + 1)]);
    expect(dropped).toEqual([
      ["u0", 4408],
      ["u1", 4408],
    ]);
  });

  it("whose input fills the object are closed with 4413, when others are refused for it", async () => {
    const { dropped, accept } = objectWith();
    const { heldByConnection } = DEFAULTS.limits;
    const greedy = ["a", "b", "c", "d"].map((id) => accept(id).connection);
    for (const { held } of greedy) expect(held.take(heldByConnection)).toBe(true);
    const small = accept("small").connection;
    expect(small.held.take(1_000)).toBe(false);
    await Promise.resolve();
    expect(dropped).toEqual([["a", 4413]]);
    for (const { held } of greedy.slice(0, 1)) held.release(heldByConnection);
    expect(small.held.take(1_000)).toBe(true);
  });

  it("that closed meanwhile take no frames, and break nothing", () => {
    const { connections, accept } = objectWith();
    const { socket, connection } = accept("gone");
    connections.open(connection);
    socket.readyState = WebSocket.CLOSED;
    connections.send(connection, ["lost"]);
    socket.send = () => {
      throw new TypeError("Can't send after close.");
    };
    socket.readyState = WebSocket.OPEN;
    connections.send(connection, ["lost"]);
    expect(socket.sent).toEqual([]);
  });

  it("remember across sleep, to within a third of a ping, when they were heard", () => {
    const { connections, accept, sockets } = objectWith();
    const { connection } = accept("alice");
    for (const now of [4_999, 9_000, 12_000]) connections.touch(connection, now);
    const [woken] = objectWith(sockets).connections.all;
    expect(woken?.heardAt).toBe(9_000);
  });

  it("may say a hundred things before they are greeted, and are closed with 4429 at one more", () => {
    const { connections, dropped, accept } = objectWith();
    const { connection } = accept("eager");
    const words = Array.from({ length: DEFAULTS.limits.queuedCalls }, (_, n) => `${n}`);
    for (const word of words) connections.delay(connection, word);
    expect([connection.stage, dropped]).toEqual([
      { name: "greeting", held: [], early: words, earlyBytes: 190, heldBytes: 0 },
      [],
    ]);
    connections.delay(connection, "one more");
    expect(dropped).toEqual([["eager", 4429]]);
  });

  it("that end are known once, also where they ended while the object slept", () => {
    const { connections, accept, sockets } = objectWith();
    const [alice, bob] = [accept("alice"), accept("bob")].map(
      ({ socket }) => socket as unknown as WebSocket,
    );
    const ended = (among: ConnectionTable, socket: WebSocket) => {
      const found = among.takeClosed(socket);
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
});
