// SignalR's MessagePack, readable as its documentation. The table is the wire: `heard` rows are decoded from clients,
// `said` rows are encoded by the server.

import { encode } from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";
import { CLOSE, serverError } from "../../src/model/errors.ts";
import type { Incoming, Outgoing } from "../../src/model/message.ts";
import { LIMITS } from "../../src/model/options.ts";
import { signalrMsgpack } from "../../src/protocols/signalr-msgpack.ts";
import { buffer, hear } from "./hub-stream.ts";

const msgpack = signalrMsgpack({ verbatim: false });

const bytes = (hex: string): Uint8Array => Uint8Array.fromHex(hex.replaceAll(" ", ""));
const hex = (data: Uint8Array | string | undefined): string => (data as Uint8Array).toHex();

/** A short message after its length. */
const framed = (message: unknown): ArrayBuffer => {
  const payload = encode(message);
  return buffer([payload.length, ...payload]);
};

interface Row {
  readonly title: string;
  /** The payload in hexadecimal. */
  readonly wire: string;
  readonly heard?: Incoming;
  readonly said?: Outgoing;
}

const call = {
  type: "invocation",
  target: "send",
  args: ["hi"],
  streaming: false,
  anyCase: true,
} as const;

const ROWS: Row[] = [
  {
    title: "1: a call without an id wants no answer; the sixth item may be absent",
    wire: "0d 95 01 80 c0 a4 73656e64 91 a2 6869",
    heard: call,
  },
  {
    title: "1: an empty id is none; items of later versions are ignored",
    wire: "0f 97 01 80 a0 a4 73656e64 91 a2 6869 90 07",
    heard: call,
  },
  {
    title: "1: streams of the client are named beside the arguments; headers are ignored",
    wire: "17 96 01 81 a1 61 a1 62 a1 31 a4 73656e64 91 a2 6869 92 a1 32 a1 33",
    heard: { ...call, id: "1", streamIds: ["2", "3"] },
  },
  {
    title: "1: what we say has six items, and no id where nobody answers",
    wire: "0e 96 01 80 c0 a4 53656e64 91 a2 6869 90",
    said: { type: "invocation", target: "send", params: '["hi"]', room: "r", position: "k:1" },
  },
  {
    title: "1: what we ask has an id; bytes are bytes where the base64 text stands",
    wire: "1a 96 01 80 a2 7331 a3 41736b 92 c4 01 ff 81 a1 61 92 c4 00 a4 2f773d3d 90",
    said: {
      type: "invocation",
      id: "s1",
      target: "ask",
      params: '["/w==",{"a":["","/w=="]}]',
      bytes: [[0], [1, "a", 0]],
    },
  },
  {
    title: "2: an item of a stream, in either direction",
    wire: "0a 94 02 80 a1 37 81 a1 61 cc ff",
    heard: { type: "item", stream: "7", item: { a: 255 } },
    said: { type: "item", id: "7", item: { a: 255 } },
  },
  {
    title: "2: an item may be null",
    wire: "06 94 02 80 a1 37 c0",
    heard: { type: "item", stream: "7", item: null },
    said: { type: "item", id: 7, item: undefined },
  },
  {
    title: "3: a result, of kind 3",
    wire: "08 95 03 80 a1 37 03 91 01",
    heard: { type: "completed", id: "7", result: [1] },
    said: { type: "completion", id: "7", result: [1] },
  },
  {
    title: "3: the result of a method that returns nothing is nil",
    wire: "07 95 03 80 a1 37 03 c0",
    heard: { type: "completed", id: "7", result: null },
    said: { type: "completion", id: "7", result: null },
  },
  {
    title: "3: the end of a stream has no result: kind 2",
    wire: "06 94 03 80 a1 37 02",
    heard: { type: "completed", id: "7" },
    said: { type: "completion", id: "7", result: undefined },
  },
  {
    title: "3: an error, of kind 1",
    wire: "0a 95 03 80 a1 37 01 a3 4e6f2e",
    heard: { type: "completed", id: "7", error: "No." },
    said: { type: "failure", id: "7", error: serverError("wrong_kind", "No.") },
  },
  {
    title: "4: a stream is asked for",
    wire: "0f 96 04 80 a1 37 a4 73656e64 91 a2 6869 90",
    heard: { ...call, id: "7", streaming: true },
  },
  {
    title: "5: a stream is given up",
    wire: "05 93 05 80 a1 37",
    heard: { type: "cancel", id: "7" },
  },
  { title: "6: a ping", wire: "02 91 06", heard: { type: "ping" } },
  { title: "7: the client ends the connection", wire: "03 92 07 c0", heard: { type: "close" } },
  {
    title: "7: and says why",
    wire: "07 93 07 a3 627965 c3",
    heard: { type: "close", error: "bye" },
  },
  {
    title: "8: all up to a message arrived",
    wire: "03 92 08 09",
    heard: { type: "ack", sequence: 9 },
    said: { type: "ack", sequence: 9 },
  },
  {
    title: "9: the number of the next message",
    wire: "05 92 09 cd 0100",
    heard: { type: "sequence", sequence: 256 },
    said: { type: "sequence", sequence: 256 },
  },
];

describe("bytes ⇄ message", () => {
  test.each(ROWS)("$title", ({ wire, heard, said }) => {
    const decoded = heard && msgpack.decode(buffer(bytes(wire)), LIMITS);
    expect(decoded).toEqual(heard && { messages: [heard], batch: false });
    expect(said && hex(msgpack.encode(said) as Uint8Array)).toBe(said && wire.replaceAll(" ", ""));
  });

  test("types of later versions are ignored", () => {
    const frame = buffer(bytes("03 92 0a c0 02 91 00 02 91 06"));
    expect(hear(msgpack, [frame]).messages).toEqual([{ type: "ping" }]);
  });
});

describe("values", () => {
  const says = (item: unknown): string =>
    hex(msgpack.encode({ type: "item", id: "7", item }) as Uint8Array).slice("0a940280a137".length);

  test.each<[string, unknown, string]>([
    ["a date becomes a timestamp", new Date(0), "d6ff00000000"],
    ["bytes are bytes", new Uint8Array([1, 255]), "c40201ff"],
    ["an ArrayBuffer is bytes", buffer([1, 255]), "c40201ff"],
    ["a view is what it shows", new Uint8Array([9, 1, 9]).subarray(1, 2), "c40101"],
    [
      "bytes with a toJSON are bytes",
      Object.assign(new Uint8Array([1]), { toJSON: () => 1 }),
      "c40101",
    ],
    ["undefined and functions become nil", [undefined, () => 1], "92c0c0"],
    ["undefined members are absent", { a: undefined, b: 1 }, "81a16201"],
    ["toJSON is asked, once", { toJSON: () => ({ a: 1 }), b: 2 }, "81a16101"],
    [
      "and not of what it gave",
      {
        a: 1,
        toJSON() {
          return { ...this, b: [new Date(NaN)] };
        },
      },
      "82a16101a16291c0",
    ],
    [
      "maps are dictionaries, sets what JSON makes of them",
      [new Map([[1, 2]]), new Set([1])],
      "9281010280",
    ],
    ["a lone surrogate survives", "\ud800", "a3eda080"],
  ])("%s", (_title, value, wire) => {
    expect(says(value)).toBe(wire);
  });

  test("throws for what cannot be written, and for a key that kills stock clients", () => {
    const loop: unknown[] = [];
    loop.push(loop);
    for (const result of [
      2n ** 64n,
      { a: [-(2n ** 63n) - 1n] },
      loop,
      JSON.parse('{"__proto__":1}'),
    ])
      expect(() => msgpack.encode({ type: "completion", id: 1, result })).toThrow(
        /64 bits|call stack|__proto__/,
      );
  });

  test("nesting that JSON carries is carried", () => {
    const params = "[".repeat(500) + "]".repeat(500);
    const record = msgpack.encode({ type: "invocation", target: "m", params });
    expect((record as Uint8Array).length).toBe(509);
  });

  test("a path of bytes that leads nowhere, or to another text, is left alone", () => {
    const params = '["~",{"a":1}]';
    const said = { type: "invocation", target: "m", params } as const;
    const paths = [[], [0], [1, "a"], [2, "a"], [1, "toString"], [0, "length"], ["__proto__", "a"]];
    expect(hex(msgpack.encode({ ...said, bytes: paths }) as Uint8Array)).toBe(
      hex(msgpack.encode(said) as Uint8Array),
    );
  });

  test("a length of two bytes and more has its low bits first", () => {
    const record = msgpack.encode({
      type: "invocation",
      target: "m",
      params: JSON.stringify(["x".repeat(20_000)]),
    });
    // 0x4e2b bytes: 1, 0011100, 0101011.
    const prefix = bytes("ab9c01");
    expect(hex((record as Uint8Array).subarray(0, 4))).toBe(`${hex(prefix)}96`);
  });
});

describe("hearing values", () => {
  const hears = (wire: string): unknown => {
    const payload = bytes(`95 01 80 c0 a1 6d 91 ${wire}`);
    const [message] = hear(msgpack, [buffer([payload.length, ...payload])]).messages as [
      { args: unknown[] },
    ];
    return "args" in message ? message.args[0] : message;
  };

  test.each<[string, string, unknown]>([
    ["timestamps are dates", "d6ff 00000001", new Date("1970-01-01T00:00:01.000Z")],
    ["with milliseconds", "d7ff 77359400 00000001", new Date("1970-01-01T00:00:01.500Z")],
    ["before our era", "c70cff 00000000 fffffff1886e0900", new Date("0001-01-01T00:00:00.000Z")],
    ["bytes are a Uint8Array", "c4 02 01ff", new Uint8Array([1, 255])],
    [
      "whole numbers of 64 bits are numbers while they are exact",
      "cf 001fffffffffffff",
      2 ** 53 - 1,
    ],
    ["and below zero", "d3 ffe0000000000001", 1 - 2 ** 53],
    ["and bigints beyond", "cf 0020000000000000", 2n ** 53n],
    ["to the largest", "cf ffffffffffffffff", 2n ** 64n - 1n],
    ["and the smallest", "d3 8000000000000000", -(2n ** 63n)],
    ["of two equal keys, the last counts", "82 a1 61 01 a1 61 02", { a: 2 }],
    [
      "keys that are whole numbers make a Map",
      "81 01 81 a1 61 cf 0000000000000001",
      new Map([[1, { a: 1 }]]),
    ],
    [
      "of 64 bits, too",
      "82 cf ffffffffffffffff c3 a1 61 c2",
      new Map<unknown, boolean>([
        [2n ** 64n - 1n, true],
        ["a", false],
      ]),
    ],
  ])("%s", (_title, wire, value) => {
    expect(hears(wire)).toEqual(value);
  });

  test("bytes are the hub's own, and not a view of the frame", () => {
    const { a } = hears("81 a1 61 c4 02 01ff") as { a: Uint8Array };
    expect([...new Uint8Array(a.buffer)]).toEqual([1, 255]);
  });

  test.each<[string, string]>([
    ["a key __proto__", "81 a9 5f5f70726f746f5f5f 01"],
    ["a key that spells it with too many bytes", "81 ab c19f c19f 70726f746f 5f5f 01"],
    ["a key __proto__ beside a number", "82 01 01 a9 5f5f70726f746f5f5f 01"],
    ["a key that is a map", "81 80 01"],
    ["a key that is half a number", "81 cb 3fe0000000000000 01"],
    ["a time beyond those of Date", "c70cff 00000000 7fffffffffffffff"],
    ["a time of two seconds' nanoseconds", "d7ff fffffffc 00000000"],
    ["extensions of applications", "d4 05 00"],
    ["compressed blocks", "c7 01 63 00"],
    ["timestamps of other sizes", "d4 ff 00"],
    ["empty timestamps", "c7 00 ff"],
    ["extensions of 16 bits' length", "c8 0001 05 00"],
    ["the extension that stands for our maps", "d4 7f 80"],
    ["an array beyond the levels", `${"91".repeat(100)} c0`],
    ["maps beyond the levels", `${"81 a1 61".repeat(70)} c0`],
  ])("a call, an item and a result with %s fail alone", (_title, wire) => {
    const heard = (payload: string) => {
      const message = bytes(payload);
      const length = [(message.length & 0x7f) | 0x80, message.length >> 7];
      return hear(msgpack, [buffer([...length, ...message, 2, 0x91, 6])]).messages;
    };
    const unreadable = expect.objectContaining({ code: "invalid_arguments" });
    expect(heard(`95 01 80 a1 37 a1 6d 91 ${wire}`)).toEqual([
      { ...call, id: "7", target: "m", args: [], unreadable },
      { type: "ping" },
    ]);
    expect(heard(`94 02 80 a1 37 ${wire}`)).toEqual([
      { type: "end", stream: "7", error: "Failed to bind Stream message." },
      { type: "ping" },
    ]);
    expect(heard(`95 03 80 a1 37 03 ${wire}`)).toEqual([
      { type: "completed", id: "7", error: "Error trying to deserialize result." },
      { type: "ping" },
    ]);
  });

  test("headers that cannot be read end the connection", () => {
    const message = bytes("95 01 81 a1 61 d4 05 00 c0 a1 6d 90");
    expect(hear(msgpack, [buffer([message.length, ...message])]).messages).toEqual([
      ["malformed", "InvalidDataException: Error reading MessagePack."],
    ]);
  });
});

describe("what breaks a connection", () => {
  test.each<[string, unknown, string]>([
    ["no array", {}, "A message is an array."],
    ["an empty array", [], "Missing required property 'type'."],
    ["a type in words", ["1"], "Expected 'type' to be of type Number."],
    [
      "headers that are bytes",
      [5, new Uint8Array(1), "7"],
      "Expected 'headers' to be of type Object.",
    ],
    ["a call of nothing", [1, {}, null], "Missing required property 'target'."],
    ["a call without arguments", [1, {}, null, "m"], "Missing required property 'arguments'."],
    [
      "a call whose id is a number",
      [1, {}, 1, "m", []],
      "Expected 'invocationId' to be of type String.",
    ],
    ["a stream without an id", [4, {}, null, "m", []], "Missing required property 'invocationId'."],
    ["an item without one", [2, {}, "7"], "Missing required property 'item'."],
    ["a completion of no kind", [3, {}, "7"], "Invalid invocation result kind."],
    ["a completion of another kind", [3, {}, "7", 4, 1], "Invalid invocation result kind."],
    ["a result that is missing", [3, {}, "7", 3], "Invalid invocation result kind."],
    ["an error that is no text", [3, {}, "7", 1, 1], "Expected 'error' to be of type String."],
    ["an ack of nothing", [8], "Missing required property 'sequenceId'."],
    ["an ack of half a message", [8, 0.5], "Expected 'sequenceId' to be of type Number."],
  ])("%s", (_what, message, sentence) => {
    const { messages } = hear(msgpack, [framed(message)]);
    expect(messages).toEqual([["malformed", `InvalidDataException: ${sentence}`]]);
  });
});

describe("saying", () => {
  test("verbatim targets are written as the hub names them", () => {
    const record = signalrMsgpack({ verbatim: true }).encode({
      type: "invocation",
      target: "m",
      params: "[]",
    });
    expect(hex(record)).toBe("08960180c0a16d9090");
  });

  test("names are kept in attachments, so they never change", () => {
    const names = [false, true].map((verbatim) => signalrMsgpack({ verbatim }).name);
    expect(names).toEqual(["signalr-msgpack", "signalr-msgpack-verbatim"]);
    const pascal = [false, true].map(
      (verbatim) => signalrMsgpack({ verbatim, messagePackKeys: "pascal" }).name,
    );
    expect(pascal).toEqual(["signalr-msgpack-pascal", "signalr-msgpack-verbatim-pascal"]);
  });

  test("records, batches and joined frames are messages one after another", () => {
    const pong = { type: "record", record: bytes("029106") } as const;
    expect(hex(msgpack.encode(pong))).toBe("029106");
    expect(hex(msgpack.encode({ type: "batch", answers: [pong, pong] }))).toBe("029106029106");
    expect(hex(msgpack.join([pong.record, new Uint8Array(0), pong.record]))).toBe("029106029106");
    expect(hex(msgpack.join([]))).toBe("");
  });

  test("our own words have no counterpart", () => {
    expect(hex(msgpack.encode({ type: "control", name: "connected", params: {} }))).toBe("");
  });

  test.each<[keyof typeof CLOSE, string | undefined, unknown[]]>([
    ["normal", undefined, [7, null, false]],
    ["aborted", undefined, [7, null, false]],
    ["expired", undefined, [7, null, true]],
    ["gone", undefined, [7, "Connection closed with an error.", false]],
    ["failed", "E", [7, "Connection closed with an error. E", false]],
    ["silent", undefined, [7, "Connection closed with an error.", true]],
  ])("the last word of a connection that is %s", (why, detail, said) => {
    expect(hex(msgpack.farewell?.(CLOSE[why], detail))).toBe(hex(new Uint8Array(framed(said))));
  });

  test("ends as stock clients do", () => {
    expect(hex(msgpack.farewell?.(CLOSE.normal))).toBe("049307c0c2");
  });
});
