// Messages of the user's own room come by the sockets of all rooms of a stream, which are not in step.

import { expect, it } from "vitest";
import { Deduplicator } from "../../../src/edge/stream/deduplicate.ts";
import type { RoomRecord } from "../../../src/edge/stream/room-record.ts";

const record = (position: string, room = "user:alice") => ({ room, position }) as RoomRecord;

function received(...arrivals: (readonly [through: string, position: string])[]): string[] {
  const one = new Deduplicator(["group:a", "group:b"]);
  return arrivals.flatMap(([through, position]) =>
    one.isDuplicate(through, record(position)) ? [] : position,
  );
}

it("each message passes once, whichever socket brings it first", () => {
  expect(
    received(["group:a", "e:1"], ["group:b", "e:1"], ["group:b", "e:2"], ["group:a", "e:2"]),
  ).toEqual(["e:1", "e:2"]);
});

it("a message passes also where another socket was ahead of it", () => {
  expect(
    received(["group:b", "e:6"], ["group:a", "e:5"], ["group:a", "e:6"], ["group:b", "e:7"]),
  ).toEqual(["e:6", "e:5", "e:7"]);
});

it("a new epoch begins anew, and what is far behind is a duplicate", () => {
  expect(received(["group:a", "e:1"], ["group:a", "f:1"])).toEqual(["e:1", "f:1"]);
  const many = Array.from({ length: 1_000 }, (_, at) => ["group:a", `e:${at + 1}`] as const);
  expect(received(...many, ["group:b", "e:1"], ["group:b", "e:999"])).toHaveLength(1_000);
});

it("a message passes once also where one socket is in the next epoch already", () => {
  expect(
    received(["group:a", "e:5"], ["group:a", "f:1"], ["group:b", "e:5"], ["group:b", "f:1"]),
  ).toEqual(["e:5", "f:1"]);
});

it("messages of the stream's own rooms pass by their own sockets alone", () => {
  const one = new Deduplicator(["group:a", "group:b"]);
  expect(one.isDuplicate("group:b", record("e:1", "group:a"))).toBe(true);
  expect(one.isDuplicate("group:a", record("e:1", "group:a"))).toBe(false);
});
