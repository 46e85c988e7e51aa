// The memory that clients make an object hold: a connection's account in its user's, in the object's.

import { expect, it } from "vitest";
import { HeldBytes, heldBy, heldByAll } from "../../../src/rooms/connection/held-bytes.ts";

const budget = () => new HeldBytes({ heldByConnection: 100, heldByUser: 150, heldByObject: 300 });
const alice = { id: "alice" };

it("bounds a connection, and counts nothing of what it refuses", () => {
  const object = budget();
  const one = object.of(alice);
  expect(one.take(60)).toBe(true);
  expect(one.take(41)).toBe(false);
  expect(one.take(40)).toBe(true);
  expect(object.held).toBe(100);
  one.release(100);
  expect(object.held).toBe(0);
});

it("bounds a user over all connections, and the object over all users", () => {
  const object = budget();
  expect(object.of(alice).take(100)).toBe(true);
  expect(object.of(alice).take(60)).toBe(false);
  expect(object.of({ id: "bob" }).take(100)).toBe(true);
  expect(object.of({ id: "carol" }).take(100)).toBe(true);
  expect(object.of({ id: "dave" }).take(1)).toBe(false);
  expect(object.held).toBe(300);
});

it("counts guests of one network together", () => {
  const object = budget();
  expect(object.of({ id: "g1", guestFrom: "192.0.2.1" }).take(100)).toBe(true);
  expect(object.of({ id: "g2", guestFrom: "192.0.2.1" }).take(60)).toBe(false);
});

it("gives buffers back with their connection, and calls when they end", () => {
  const object = budget();
  const one = object.of(alice);
  one.take(50);
  one.buffer(30);
  one.end();
  one.end();
  expect(object.held).toBe(50);
  one.buffer(10);
  one.unbuffer(30);
  expect(object.held).toBe(50);
  // A user who connects again has what still runs.
  expect(object.of(alice).take(100)).toBe(true);
  expect(object.of(alice).fits(1)).toBe(false);
  one.release(50);
  expect(object.held).toBe(100);
});

it("bounds frames that wait by user, and not by object: a room's frame is one for all", () => {
  const object = budget();
  const connections = ["alice", "bob", "carol"].map((id) => object.of({ id }));
  for (const one of connections) one.addFrames(150);
  expect(connections.map((one) => one.fitsFrames(1))).toEqual([false, false, false]);
  expect([object.held, object.of({ id: "dave" }).fits(100)]).toEqual([0, true]);
  expect(object.of(alice).fitsFrames(1)).toBe(false);
  connections[0]!.end();
  expect(object.of(alice).fitsFrames(150)).toBe(true);
});

it("counts parsed values by what they take", () => {
  expect(heldBy("text", 10)).toBe(10);
  expect(heldBy(new Uint8Array(4), 10)).toBe(10);
  expect(heldBy({ a: 1 }, 10)).toBe(90);
  expect(heldByAll(["room", 1, null], 10)).toBe(10);
  expect(heldByAll(["room", [1]], 10)).toBe(90);
});

it.each([
  ["empty maps", () => ({}), 1, 64],
  ["empty arrays", () => [], 1, 40],
  ["empty bytes", () => new Uint8Array(), 2, 208],
  ["times", () => new Date(0), 6, 100],
  ["maps by numbers", () => new Map([[1, null]]), 3, 190],
  ["maps of maps", () => new Map([[1, {}]]), 4, 260],
])("counts %s of MessagePack by no less than they take", (_, make, bytes, memory) => {
  const values = Array.from({ length: 1_000 }, make);
  expect(heldBy(values, 1_000 * bytes)).toBeGreaterThanOrEqual(1_000 * memory);
  expect(heldByAll(["room", values], 1_000 * bytes)).toBeGreaterThanOrEqual(1_000 * memory);
});
