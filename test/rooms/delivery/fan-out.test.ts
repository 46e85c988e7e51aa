// Who gets which frames in one flush: a table, and the cases a table cannot hold.

import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Encoded, Outgoing } from "../../../src/model/message.ts";
import { jsonRpc } from "../../../src/protocols/json-rpc-codec.ts";
import type { Connection } from "../../../src/rooms/connection/connection.ts";
import {
  splitIntoFrames,
  fanOut,
  FRAME_CHARS,
  type QueuedMessage,
} from "../../../src/rooms/delivery/fan-out.ts";

const encode = vi.fn<(message: Outgoing) => string>();
const plain = {
  ...jsonRpc,
  encode,
  join: (records: readonly string[]) => records.join(" "),
};

beforeEach(() => {
  encode.mockReset().mockImplementation((message) => ("target" in message ? message.target : ""));
});

const connection = (id: string): Connection => ({ id, protocol: plain }) as unknown as Connection;
const [a, b, c, d] = ["a", "b", "c", "d"].map(connection) as [
  Connection,
  Connection,
  Connection,
  Connection,
];
const room = new Set([a, b, c]);
const other = new Set([b, c, d]);

const word = (target: string): Outgoing => ({ type: "invocation", target, params: "[]" });
const say = (target: string, audience = room, ...except: Connection[]): QueuedMessage => ({
  audience,
  message: word(target),
  except: except.length > 0 ? new Set(except) : undefined,
});
const tell = (to: Connection, target: string): QueuedMessage => ({
  connection: to,
  message: word(target),
});

function framesOf(waiting: readonly QueuedMessage[]): Record<string, Encoded[]> {
  const sent: Record<string, Encoded[]> = {};
  fanOut(waiting, ({ id }, frames) => {
    expect(sent[id], `${id} is written to once`).toBeUndefined();
    sent[id] = [...frames];
  });
  return sent;
}

/** An audience that counts how often one of its connections is looked at. */
class CountedSet extends Set<Connection> {
  reads = 0;
  override has(one: Connection): boolean {
    this.reads += 1;
    return super.has(one);
  }
  override *[Symbol.iterator](): SetIterator<Connection> {
    for (const one of super.values()) {
      this.reads += 1;
      yield one;
    }
  }
}

/** The same messages, and how often one of them was looked at. */
function counted(messages: readonly QueuedMessage[]) {
  let looks = 0;
  const queue = messages.map((one) => ({
    ...one,
    get audience() {
      looks += 1;
      return "audience" in one ? one.audience : room;
    },
  }));
  return { queue: queue as readonly QueuedMessage[], looks: () => looks };
}

describe("fanOut", () => {
  it.for<[title: string, waiting: QueuedMessage[], frames: Record<string, string>]>([
    ["nothing to nobody", [], {}],
    ["one message to all", [say("1")], { a: "1", b: "1", c: "1" }],
    ["many in one frame", [say("1"), say("2")], { a: "1 2", b: "1 2", c: "1 2" }],
    ["none to the excepted", [say("1", room, a)], { b: "1", c: "1" }],
    [
      "the rest to the excepted",
      [say("1"), say("2", room, a), say("3")],
      { a: "1 3", b: "1 2 3", c: "1 2 3" },
    ],
    ["what is told to one", [tell(a, "x")], { a: "x" }],
    [
      "what is told in its place among what is said",
      [say("1"), tell(b, "x"), say("2"), tell(b, "y")],
      { a: "1 2", b: "1 x 2 y", c: "1 2" },
    ],
    [
      "two audiences in the order things were said",
      [say("1", other), say("2"), say("3", other)],
      { a: "2", b: "1 2 3", c: "1 2 3", d: "1 3" },
    ],
    [
      "two audiences, told and excepted",
      [say("1", other, d), say("2"), tell(c, "x"), say("3", other)],
      { a: "2", b: "1 2 3", c: "1 2 x 3", d: "3" },
    ],
    ["an empty audience", [say("1", new Set())], {}],
    [
      "to one who is told and in no audience",
      [say("1"), tell(d, "x")],
      { a: "1", b: "1", c: "1", d: "x" },
    ],
  ])("writes %s", ([, waiting, frames]) => {
    const expected = Object.entries(frames).map(([id, frame]) => [id, [frame]]);
    expect(framesOf(waiting)).toEqual(Object.fromEntries(expected));
  });

  it("encodes a message once, and gives an audience one and the same frame", () => {
    const sent: (readonly Encoded[])[] = [];
    fanOut([say("1"), tell(a, "x"), say("2")], (_, frames) => sent.push(frames));
    expect(encode).toHaveBeenCalledTimes(3);
    expect(sent[1]).toBe(sent[2]);
  });

  it("asks for a told message only now", () => {
    let result = "early";
    const waiting: QueuedMessage[] = [{ connection: a, message: () => word(result) }];
    result = "late";
    expect(framesOf(waiting)).toEqual({ a: ["late"] });
  });

  it("serves 1,000 sockets and 64 messages without work per socket and message", () => {
    const many = new CountedSet(Array.from({ length: 1_000 }, (_, i) => connection(`${i}`)));
    const messages = Array.from({ length: 64 }, (_, i) => say(`${i}`, many));
    const few = [...many].slice(0, 20);
    const work = (waiting: readonly QueuedMessage[]) => {
      const framesSent = new Set<readonly Encoded[]>();
      [many.reads, encode.mock.calls.length] = [0, 0];
      fanOut(waiting, (_, frames) => framesSent.add(frames));
      return { reads: many.reads, encoded: encode.mock.calls.length, built: framesSent.size };
    };
    const plainly = work(messages);
    const mixed = work([...messages, ...few.map((one) => tell(one, "x")), say("z", other)]);
    expect(plainly).toMatchObject({ encoded: 64, built: 1 });
    expect(mixed).toMatchObject({ encoded: 85, built: 22 });
    // Each socket once, and not for each of the 64 messages; with each message for the 20 callers.
    expect(plainly.reads).toBeLessThan(2 * 1_000);
    expect(mixed.reads).toBeLessThan(2 * 1_000 + 20 * 85);
  });

  it.for([
    ["alone", () => []],
    ["with an answer to each", (one: Connection) => [tell(one, "done")]],
  ] as const)("serves 2,000 rooms of one socket %s without work per pair", ([, answers]) => {
    const all = Array.from({ length: 2_000 }, (_, at) => connection(`${at}`));
    const rooms = all.map((one) => new CountedSet([one]));
    const { queue, looks } = counted(rooms.map((one, at) => say(`${at}`, one)));
    fanOut([...queue, ...all.flatMap(answers)], () => {});
    expect(looks()).toBeLessThan(10 * 2_000);
    expect(Math.max(...rooms.map(({ reads }) => reads))).toBeLessThan(10);
  });

  it("gives a socket of a hundred rooms its messages in their order, without work per pair", () => {
    const rooms = Array.from({ length: 100 }, () => new Set([a]));
    const said = Array.from({ length: 1_000 }, (_, at) => say(`${at}`, rooms[(at * 7) % 100]));
    const { queue, looks } = counted(said);
    expect(framesOf(queue)).toEqual({ a: [said.map((_, at) => `${at}`).join(" ")] });
    expect(looks()).toBeLessThan(10 * 1_000);
  });

  it("cuts frames at 256 Ki characters, between records", () => {
    const half = "x".repeat(FRAME_CHARS / 2);
    const records = [half, half, "1", "", "y".repeat(FRAME_CHARS + 1), "2"];
    expect(splitIntoFrames(plain, records).map((frame) => frame.length)).toEqual([
      FRAME_CHARS + 1,
      1,
      FRAME_CHARS + 1,
      1,
    ]);
  });
});

describe("fanOut, of what cannot be encoded", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic["self"] = cyclic;
  const caller = { id: "caller", protocol: jsonRpc } as unknown as Connection;
  const completion = (id: number, result: unknown): Outgoing => ({
    type: "completion",
    id,
    result,
  });

  const answersTo = (...messages: (Outgoing | (() => Outgoing))[]): unknown => {
    let heard: unknown;
    const waiting = messages.map((message) => ({ connection: caller, message }));
    fanOut(waiting, (_, [frame]) => (heard = JSON.parse(frame as string)));
    return heard;
  };
  const failed = (id: number) => ({
    jsonrpc: "2.0",
    id,
    error: expect.objectContaining({ data: { code: "internal" } }),
  });

  beforeEach(() => {
    vi.spyOn(console, "error").mockImplementation(() => {});
  });

  it.for([
    ["a cycle", cyclic],
    ["a BigInt of more than 64 bits", 2n ** 64n],
  ] as const)("fails the call that returns %s, and no other", ([, result]) => {
    expect(answersTo(completion(1, result), completion(2, "fine"))).toEqual([
      failed(1),
      { jsonrpc: "2.0", id: 2, result: "fine" },
    ]);
  });

  it("fails one answer of a batch, and keeps the others", () => {
    const answers = [completion(1, "fine"), completion(2, cyclic), completion(3, "too")];
    expect(answersTo({ type: "batch", answers })).toEqual([
      { jsonrpc: "2.0", id: 1, result: "fine" },
      failed(2),
      { jsonrpc: "2.0", id: 3, result: "too" },
    ]);
  });

  it("fails the stream that yields it", () => {
    expect(answersTo({ type: "item", id: 7, item: 2n ** 64n })).toEqual(failed(7));
  });

  it("leaves out a message that cannot be made", () => {
    const broken = () => {
      throw new Error("No.");
    };
    expect(answersTo(broken, completion(1, "fine"))).toEqual({
      jsonrpc: "2.0",
      id: 1,
      result: "fine",
    });
  });
});
