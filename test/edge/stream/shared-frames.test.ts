// Frames that many streams hear: understood once, and for each room by itself.

import { describe, expect, it } from "vitest";
import { eventOf, eventText } from "../../../src/edge/sse/sse-events.ts";
import { positionAfter, type RoomRecord } from "../../../src/edge/stream/room-record.ts";
import { FrameCache } from "../../../src/edge/stream/shared-frames.ts";

const frames = new FrameCache();
const frameOf = (room: string, text: string) => frames.frameOf(room, text);

const record = (room: string, position: string, method = "said") => ({
  ...{ jsonrpc: "2.0", method, params: ["hi"], room, position },
});
const textOf = (room: string, one: RoomRecord) => {
  const after = positionAfter(room, one, undefined);
  const event = eventOf({ room, record: one, before: undefined, after });
  return event ? eventText(event, after) : "";
};
const eventsIn = (room: string, ...records: readonly object[]) => {
  const frame = frameOf(room, JSON.stringify(records));
  const encode = () =>
    new TextEncoder().encode(frame.records.map((one) => textOf(room, one)).join(""));
  const bytes = frame.shared?.encodeAs("sse", encode);
  return (
    bytes && { position: frame.shared!.position, bytes, text: new TextDecoder().decode(bytes) }
  );
};

describe("a frame", () => {
  it("is all its events at once, and leaves everybody at the last position of the room", () => {
    const events = eventsIn(
      "group:a",
      record("group:a", "e:1"),
      record("all:", "f:9"),
      record("group:a", "e:2"),
    );
    expect(events?.position).toBe("e:2");
    expect(events?.text).toBe(
      'event: said\nid: e:1\ndata: ["hi"]\n\nevent: said\ndata: ["hi"]\n\nevent: said\nid: e:2\ndata: ["hi"]\n\n',
    );
  });

  it("is understood once", () => {
    const text = JSON.stringify(record("group:a", "e:3"));
    expect(frameOf("group:a", `${text}`)).toBe(frameOf("group:a", text));
  });

  it("that ends like another is another", () => {
    const ending = record("group:a", "e:4");
    const [one, two] = ["x", "y"].map((method) =>
      eventsIn("group:a", record("group:a", "e:3", method), ending),
    );
    expect(one?.text).toContain("event: x\n");
    expect(two?.text).toContain("event: y\n");
  });

  it("has a place in its own room only", () => {
    const said = record("group:a", "e:5");
    expect(eventsIn("group:a", said)?.text).toContain("id: e:5");
    expect(eventsIn("group:b", said)?.text).not.toContain("id:");
  });

  it("is nothing where others come and go elsewhere", () => {
    expect(eventsIn("group:a", record("all:", "f:1", "$/presence"))?.bytes).toHaveLength(0);
  });

  it("that begins a connection, or asks, is each stream's own", () => {
    expect(eventsIn("group:a", record("group:a", "e:6", "$/connected"))).toBeUndefined();
    expect(eventsIn("group:a", { id: 1, ...record("group:a", "e:6") })).toBeUndefined();
  });

  it("is forgotten when much else has been said", () => {
    const text = JSON.stringify(record("group:a", "e:7"));
    const before = frameOf("group:a", text);
    const long = "x".repeat(200_000);
    for (let i = 0; i < 4; i++)
      frameOf("group:a", JSON.stringify(record("group:a", `e:${i}`, long)));
    expect(frameOf("group:a", text)).not.toBe(before);
    expect(frameOf("group:a", text)).toEqual(before);
  });
});
