// Counts of an object in the attachment of one of its sockets.

import { describe, expect, it } from "vitest";
import { ZERO_COUNTERS } from "../../../src/rooms/observe/counters.ts";
import type { KeptCounts } from "../../../src/rooms/rpc/activity-report.ts";
import { AttachedCounts } from "../../../src/rooms/observe/attached-counts.ts";
import { attachedOf } from "../../../src/rooms/connection/attachment.ts";
import { save } from "../../../src/rooms/connection/connection.ts";
import { objectWith, type Socket } from "../connection/sockets.ts";

const counted = (messages: number): KeptCounts => ({
  after: 5,
  counts: { wake: "w", counted: { ...ZERO_COUNTERS, in: messages }, before: ZERO_COUNTERS },
});

/** Clients whose connections are open. */
function objectOf(...clients: string[]) {
  const object = objectWith();
  const accepted = clients.map((id) => object.accept(id));
  for (const { connection } of accepted) object.connections.open(connection);
  return { ...object, accepted, counts: new AttachedCounts(object.connections) };
}

const countsAt = (socket: Socket) => attachedOf(socket as unknown as WebSocket)?.counts;
const afterSleep = (sockets: Socket[]) => new AttachedCounts(objectWith(sockets).connections);

describe("counts beside a socket", () => {
  it("survive sleep, and are replaced by later ones", () => {
    const { counts, sockets } = objectOf("alice", "bob");
    expect(counts.keep(counted(1))).toBe(true);
    expect(afterSleep(sockets).counts).toEqual(counted(1));
    const woken = objectWith(sockets);
    for (const connection of woken.connections.all) woken.connections.open(connection);
    expect(new AttachedCounts(woken.connections).keep(counted(2))).toBe(true);
    expect(sockets.map(countsAt)).toEqual([counted(2), undefined]);
  });

  it("are kept beside another socket when theirs has closed", () => {
    const { accepted, connections, counts, sockets } = objectOf("alice", "bob");
    counts.keep(counted(1));
    connections.remove(accepted[0]!.connection);
    expect(counts.counts).toBeUndefined();
    expect(counts.keep(counted(2))).toBe(true);
    expect(countsAt(sockets[1]!)).toEqual(counted(2));
  });

  it("are nowhere where no attachment has room for them, nor those before", () => {
    const { accepted, counts, sockets } = objectOf("alice");
    counts.keep(counted(1));
    const { connection } = accepted[0]!;
    save(connection, { items: { notes: "x".repeat(8_000) } });
    expect(counts.keep(counted(2))).toBe(false);
    expect([counts.counts, sockets.map(countsAt)]).toEqual([undefined, [undefined]]);
  });

  it("are kept by no connection that has not begun, or has no socket", () => {
    const { connections, accept, accepted } = objectOf("alice");
    connections.detach(accepted[0]!.connection);
    accept("bob");
    expect(new AttachedCounts(connections).keep(counted(1))).toBe(false);
  });

  it("give way to what the connection itself needs", () => {
    const { accepted, counts, sockets } = objectOf("alice");
    counts.keep(counted(1));
    const { connection, socket } = accepted[0]!;
    const { serializeAttachment } = socket;
    socket.serializeAttachment = function limited(value) {
      if ((value as Uint8Array).byteLength > 16_384) throw new Error("Too large.");
      serializeAttachment.call(this, value);
    };
    const items = { notes: "x".repeat(16_384 - 300) };
    save(connection, { items });
    expect(countsAt(sockets[0]!)).toBeUndefined();
    expect(attachedOf(socket as unknown as WebSocket)?.items).toEqual(items);
    expect(() => save(connection, { items: { notes: "x".repeat(17_000) } })).toThrow(/claims/);
  });
});
