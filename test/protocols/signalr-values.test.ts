// Values on SignalR's wire, both encodings, both directions. A row is a value that either end has and the bytes or text
// between them; what cannot be represented is refused, never changed.

import { decode as unpack, encode as pack, ExtensionCodec } from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/model/options.ts";
import { ExactDate, parseTime } from "../../src/protocols/exact-date.ts";
import { encodeParams } from "../../src/protocols/json.ts";
import { signalrJson } from "../../src/protocols/signalr-json.ts";
import { signalrMsgpack } from "../../src/protocols/signalr-msgpack.ts";
import { buffer } from "./hub-stream.ts";

const RS = "\u001e";

interface Heard {
  readonly args?: readonly unknown[];
  readonly unreadable?: Error;
}

const json = signalrJson({ verbatim: false });
const msgpack = signalrMsgpack({ verbatim: false, messagePackKeys: "pascal" });

/** What a hub receives of a JSON text: a value, or the sentence that refuses it. */
function jsonIn(text: string): unknown {
  const [message] = json.decode(`{"type":1,"target":"m","arguments":[${text}]}${RS}`, LIMITS)
    .messages as unknown as [Heard];
  return message.unreadable?.message ?? message.args?.[0];
}

const jsonOut = (value: unknown): string =>
  json.encode({ type: "completion", id: "1", result: value }).toString().slice(38, -2);

/** The same value as a result, as an item, and as a publication's argument. */
function msgpackOut(value: unknown): string {
  const hex = (data: Uint8Array, skip: number, drop = 0) =>
    data.subarray(skip, data.length - drop).toHex();
  const result = msgpack.encode({ type: "completion", id: "1", result: value }) as Uint8Array;
  const item = msgpack.encode({ type: "item", id: "1", item: value }) as Uint8Array;
  expect(hex(item, 6)).toBe(hex(result, 7));
  const said = { type: "invocation", target: "M", ...encodeParams([value]) } as const;
  expect(hex(msgpack.encode(said) as Uint8Array, 8, 1)).toBe(hex(result, 7));
  return hex(result, 7);
}

function msgpackIn(hex: string): unknown {
  const payload = Uint8Array.fromHex(`950180c0a16d91${hex.replaceAll(" ", "")}`);
  const [message] = msgpack.decode(buffer([payload.length, ...payload]), LIMITS)
    .messages as unknown as [Heard];
  return message.unreadable?.message ?? message.args?.[0];
}

const MAX_TIME = parseTime("9999-12-31T23:59:59.9999999Z");

describe("JSON, from clients", () => {
  test.each<[string, unknown]>([
    ["9007199254740991", 2 ** 53 - 1],
    ["9007199254740993", 9007199254740993n],
    ["-9223372036854775808", -(2n ** 63n)],
    ["18446744073709551615", 2n ** 64n - 1n],
    // What JavaScript clients write for 2⁶⁰ and 2⁶²: the double prints the same digits.
    ["1152921504606847000", 2 ** 60],
    ["1152921504606846976", 2n ** 60n],
    ["4611686018427388000", 2 ** 62],
    ["100000000000000000000", 1e20],
    ["1e20", 1e20],
    ["1.5e-7", 1.5e-7],
    ["0.12345678901234567890", 0.12345678901234568],
    ['"9007199254740993 and 1e400"', "9007199254740993 and 1e400"],
    ["1e400", "Argument 1: A number is beyond those of 64-bit floating point."],
    ['{"a":[-1e999]}', "Argument 1 (a.0): A number is beyond those of 64-bit floating point."],
    ['{"__proto__":1}', "The key __proto__ is not accepted."],
    ['{"\\u005f_proto__":1}', "The key __proto__ is not accepted."],
  ])("%s", (text, value) => {
    expect(jsonIn(text)).toEqual(value);
  });

  test("a lone surrogate stays one", () => {
    expect(jsonIn('"\\ud800"')).toBe("\ud800");
  });

  test("a key __proto__ beside the arguments is nobody's", () => {
    const { messages } = json.decode(`{"type":6,"__proto__":{"a":1}}${RS}`, LIMITS);
    expect(messages).toEqual([{ type: "ping" }]);
  });

  test("an item or result that cannot be read ends its stream or answer alone", () => {
    const wire = `{"type":2,"invocationId":"1","item":1e400}${RS}{"type":3,"invocationId":"2","result":{"__proto__":1}}${RS}`;
    expect(json.decode(wire, LIMITS).messages).toEqual([
      { type: "end", stream: "1", error: "Failed to bind Stream message." },
      { type: "completed", id: "2", error: "Error trying to deserialize result." },
    ]);
  });
});

describe("JSON, to clients", () => {
  test.each<[unknown, string]>([
    [9007199254740993n, "9007199254740993"],
    [{ a: [-(2n ** 63n)] }, '{"a":[-9223372036854775808]}'],
    [new Map([[1, "a"]]), '{"1":"a"}'],
    [new Map([["user-1", { at: new Date(0) }]]), '{"user-1":{"at":"1970-01-01T00:00:00.000Z"}}'],
    [MAX_TIME, '"9999-12-31T23:59:59.9999999Z"'],
    [new Uint8Array([1, 2, 3]), '"AQID"'],
    [{ title: 1 }, '{"title":1}'],
  ])("%s", (value, text) => {
    expect(jsonOut(value)).toBe(text);
  });

  test.each([
    [NaN, "NaN cannot be sent: JSON has no such number."],
    [{ a: [-Infinity] }, "-Infinity cannot be sent: JSON has no such number."],
    [2n ** 64n, "A whole number of more than 64 bits cannot be sent."],
    [JSON.parse('{"a":{"__proto__":1}}'), "The key __proto__ cannot be sent."],
  ])("%s is refused, as a result and as a publication", (value, sentence) => {
    expect(() => jsonOut(value)).toThrow(sentence);
    expect(() => encodeParams([value])).toThrow(sentence);
  });
});

describe("MessagePack, to clients", () => {
  test.each<[string, unknown, string]>([
    ["a time of whole seconds", new Date(1000), "d6ff00000001"],
    ["a time of milliseconds", new Date(1500), "d7ff7735940000000001"],
    ["DateTime.MaxValue", MAX_TIME, "c70cff3b9ac99c0000003afff4417f"],
    ["DateTime.MinValue", parseTime("0001-01-01"), "c70cff00000000fffffff1886e0900"],
    ["a time beyond .NET's", new Date(8.64e15), "c70cff00000000000007dba8218000"],
    ["a bigint", 2n ** 53n, "cf0020000000000000"],
    ["a bigint below zero", -(2n ** 63n), "d38000000000000000"],
    ["a whole number of more than 32 bits", 2 ** 40, "cf0000010000000000"],
    ["and below zero", -(2 ** 40), "d3ffffff0000000000"],
    ["a whole number beyond 2⁵³ that is no bigint", 1e300, "cb7e37e43c8800759c"],
    ["bytes", new Uint8Array([1, 255]), "c40201ff"],
    [
      "a record, in PascalCase",
      { title: 1, userId: [{ a: 2 }] },
      "82a55469746c6501a65573657249649181a14102",
    ],
    ["PascalCase as it is", { Title: 1 }, "81a55469746c6501"],
    ["two members that would be one", { title: 1, Title: 2 }, "82a57469746c6501a55469746c6502"],
    ["a dictionary, by its keys", { "user-1": 1, bob: 2 }, "82a6757365722d3101a3626f6202"],
    ["a dictionary, as a Map", new Map([["bob", { age: 1 }]]), "81a3626f6281a341676501"],
    [
      "a Map of numbers",
      new Map([
        [1, "a"],
        [-5, "b"],
      ]),
      "8201a161fba162",
    ],
    [
      "a Map in a Map in a list",
      [new Map([["a", new Map([[7, new Date(0)]])]])],
      "9181a16181 07d6ff00000000",
    ],
    ["an empty Map", new Map(), "80"],
    [
      "a Map of twenty",
      new Map(Array.from({ length: 20 }, (_, n) => [n, n] as const)),
      `df00000014${Array.from({ length: 20 }, (_, n) => n.toString(16).padStart(2, "0").repeat(2)).join("")}`,
    ],
    ["null", null, "c0"],
    ["half a number", 0.5, "cb3fe0000000000000"],
    ["a lone surrogate", "\ud800", "a3eda080"],
  ])("%s", (_title, value, wire) => {
    expect(msgpackOut(value)).toBe(wire.replaceAll(" ", ""));
  });

  test("NaN and infinities are numbers in results; publications, which JSON shares, refuse them", () => {
    for (const result of [NaN, Infinity, -Infinity]) {
      const record = msgpack.encode({ type: "completion", id: "1", result }) as Uint8Array;
      expect(unpack(record.subarray(7))).toBe(result);
      expect(() => encodeParams([result])).toThrow(TypeError);
    }
  });

  test("keys stay as hub code spells them where the hub says so", () => {
    const verbatim = signalrMsgpack({ verbatim: false, messagePackKeys: "verbatim" });
    const record = verbatim.encode({ type: "item", id: "1", item: { title: 1 } }) as Uint8Array;
    expect(record.subarray(6).toHex()).toBe("81a57469746c6501");
  });
});

describe("MessagePack, from clients", () => {
  test.each<[string, string, unknown]>([
    ["a time", "d7ff 77359400 00000001", new Date(1500)],
    ["a bigint", "cf 0020000000000001", 2n ** 53n + 1n],
    ["a small int64", "d3 0000000000000001", 1],
    ["NaN", "cb 7ff8000000000000", NaN],
    ["infinity", "cb fff0000000000000", -Infinity],
    ["a text map", "81 a5 5469746c65 01", { Title: 1 }],
    ["a map of numbers", "81 05 a1 61", new Map([[5, "a"]])],
  ])("%s", (_title, hex, value) => {
    expect(msgpackIn(hex)).toEqual(value);
  });

  test("a lone surrogate stays one", () => {
    expect(msgpackIn("a3 eda080") === "\ud800").toBe(true);
  });

  test("an object that hub code passes on keeps its keys; a copy is a record of the hub", () => {
    const hex = "82a161 81a16201 a163 9181a16401".replaceAll(" ", "");
    const value = msgpackIn(hex) as { a: object; c: object[] };
    expect(msgpackOut(value)).toBe(hex);
    expect(msgpackOut({ ...value })).toBe("82a14181a16201a1439181a16401");
    expect(jsonOut(value)).toBe('{"a":{"b":1},"c":[{"d":1}]}');
  });

  test("a time of .NET keeps its hundred nanoseconds, there and back, as text too", () => {
    const hex = "c70cff3b9ac99c0000003afff4417f";
    const time = msgpackIn(hex) as Date;
    expect(time).toBeInstanceOf(ExactDate);
    expect(time.toISOString()).toBe("9999-12-31T23:59:59.9999999Z");
    expect(time.getTime()).toBe(253402300799999);
    expect(msgpackOut(time)).toBe(hex);
    time.setTime(0);
    expect(time.toJSON()).toBe("1970-01-01T00:00:00.000Z");
  });

  test("the stock library and ours agree on every time", () => {
    for (const ms of [0, 1, -1, 1e12 + 7, 4294967296000, -62135596800000, 253402300799999]) {
      const theirs = pack(new Date(ms), { extensionCodec: ExtensionCodec.defaultCodec });
      expect(msgpackOut(new Date(ms))).toBe(theirs.toHex());
      expect(msgpackIn(theirs.toHex())).toEqual(new Date(ms));
    }
  });
});

test("a room's state keeps its keys over MessagePack, of which many are ids", () => {
  const patch = msgpack.encode({
    ...{ type: "state", room: "group:a", position: "e:1" },
    params: '{"patch":{"notes":{"a":1}}}',
  }) as Uint8Array;
  const args = ["group:a", { notes: { a: 1 } }, "e:1"];
  expect(unpack(patch.subarray(1))).toEqual([1, {}, null, "RoomPatch", args, []]);
});

describe("ISO 8601", () => {
  test.each<[string, string | undefined]>([
    ["2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:05.1234567Z"],
    ["2026-01-02T03:04:05.120Z", "2026-01-02T03:04:05.120Z"],
    ["2026-01-02T03:04:05.000000001+02:00", "2026-01-02T01:04:05.000000001Z"],
    ["2026-01-02T03:04", "2026-01-02T03:04:00.000Z"],
    ["2026-01-02", "2026-01-02T00:00:00.000Z"],
    ["+010000-01-01T00:00:00.000Z", "+010000-01-01T00:00:00.000Z"],
    ["2026-02-30T00:00:00Z", undefined],
    ["2026-1-2", undefined],
    ["AQID", undefined],
  ])("%s", (text, time) => {
    expect(parseTime(text)?.toISOString()).toBe(time);
  });
});
