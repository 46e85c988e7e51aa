// Which connections end for what waits for them: a frame that many wait for is held once.

import { expect, it } from "vitest";
import type { Encoded } from "../../../src/model/message.ts";
import type { Connection } from "../../../src/rooms/connection/connection.ts";
import { connectionsOverBudget } from "../../../src/rooms/connection/greediest.ts";

const LIMITS = { heldByUser: 100, heldByObject: 300 };

/** A client that is away. */
function away(id: string, unconfirmed: readonly Encoded[], guestFrom?: string): Connection {
  const frames = unconfirmed.reduce((sum, { length }) => sum + length, 0);
  const user = { id, ...(guestFrom !== undefined && { guestFrom }) };
  const stage = { name: "away" };
  return { id, user, stage, held: { frames }, resumable: { unconfirmed } } as unknown as Connection;
}

const ended = (connections: readonly Connection[]) =>
  connectionsOverBudget(connections, LIMITS).map(({ id }) => id);
const ofSize = (size: number, char = "x"): string => char.repeat(size);

it("a room's frame is counted once, however many wait for it", () => {
  const shared = ofSize(90);
  const crowd = Array.from({ length: 50 }, (_, n) => away(`u${n}`, [shared]));
  expect(ended(crowd)).toEqual([]);
});

it("frames for one client are counted each, and the greediest end first", () => {
  const crowd = Array.from({ length: 5 }, (_, n) =>
    away(`u${n}`, [ofSize(80 - n, String(n)), ofSize(15)]),
  );
  // 80 + 79 + 78 + 77 + 76 of their own, and 15 that are one text.
  expect(ended(crowd)).toEqual(["u0", "u1"]);
});

it("a user's connections share one bound, guests of a network that of the object", () => {
  const ofUser = (id: string) => ({ ...away("alice", [ofSize(60, id)]), id });
  expect(ended([ofUser("a"), ofUser("b")])).toEqual(["a"]);
  const guests = ["g1", "g2"].map((id) => away(id, [ofSize(60, id[1])], "192.0.2.1"));
  expect(ended(guests)).toEqual([]);
});
