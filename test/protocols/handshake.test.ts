// Handshakes of SignalR connections, from stock clients and from hostile ones.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  handshakeFrame,
  handshakeResponse,
  readHandshake,
  type Handshake,
} from "../../src/protocols/handshake.ts";
import { buffer, cut, utf8, workOf } from "./hub-stream.ts";

const SEED = 20261121;
const RS = "\u001e";
const JSON_1 = `{"protocol":"json","version":1}${RS}`;
const MSGPACK_1 = `{"protocol":"messagepack","version":1}${RS}`;

const limits = { messageBytes: 100 };

const read = (frame: string | ArrayBuffer, rest?: string | Uint8Array): Handshake =>
  readHandshake(frame, limits, { binary: true, ...(rest && { rest }) });

/** The results of several frames, rests as bytes. */
function readAll(frames: (string | ArrayBuffer)[]): unknown {
  let rest: string | Uint8Array | undefined;
  for (const [at, frame] of frames.entries()) {
    const handshake = read(frame, rest);
    if (handshake.type !== "incomplete") return [shown(handshake), frames.slice(at + 1)];
    rest = handshake.rest;
  }
  return rest;
}

const shown = (handshake: Handshake): unknown =>
  handshake.type === "handshake" && handshake.rest !== undefined
    ? {
        ...handshake,
        rest: new Uint8Array(
          typeof handshake.rest === "string" ? utf8(handshake.rest) : handshake.rest,
        ).toHex(),
      }
    : handshake;

describe("what clients ask for", () => {
  test.each<[string, string | ArrayBuffer, object]>([
    ["JSON", JSON_1, { protocol: "json", version: 1 }],
    ["JSON in a Binary frame, as Java's", utf8(JSON_1), { protocol: "json", version: 1 }],
    [
      "MessagePack in a Text frame, as JavaScript's",
      MSGPACK_1,
      { protocol: "messagepack", version: 1 },
    ],
    [
      "MessagePack in a Binary frame, as .NET's",
      utf8(MSGPACK_1),
      { protocol: "messagepack", version: 1 },
    ],
    [
      "stateful reconnect",
      `{"protocol":"json","version":2}${RS}`,
      { protocol: "json", version: 2 },
    ],
    [
      "any order and unknown members",
      `{"a":[],"version":0,"protocol":"JSON"}${RS}`,
      { protocol: "json", version: 0 },
    ],
    [
      "a version before the first, which passes there as well",
      `{"protocol":"json","version":-1}${RS}`,
      { protocol: "json", version: -1 },
    ],
    [
      "more in the same Text frame",
      `${JSON_1}{"type":6}${RS}{`,
      { protocol: "json", version: 1, rest: hex(`{"type":6}${RS}{`) },
    ],
    [
      "more in the same Binary frame",
      buffer([...new Uint8Array(utf8(MSGPACK_1)), 2, 0x91, 6, 0xff]),
      { protocol: "messagepack", version: 1, rest: "029106ff" },
    ],
  ])("%s", (_what, frame, expected) => {
    expect(shown(read(frame))).toEqual({ type: "handshake", ...expected });
  });

  test("what follows is given as the frame was", () => {
    const [text, binary] = [read(`${JSON_1}x`), read(utf8(`${JSON_1}x`))];
    expect([text, binary]).toEqual([
      { type: "handshake", protocol: "json", version: 1, rest: "x" },
      { type: "handshake", protocol: "json", version: 1, rest: utf8("x") },
    ]);
  });

  test("frames may cut it anywhere", () => {
    const frame = utf8(`{"protocol":"json","a":"日","version":1}${RS}`);
    for (let at = 0; at < frame.byteLength; at++)
      expect(readAll(cut(frame, at))).toEqual([
        { type: "handshake", protocol: "json", version: 1 },
        [],
      ]);
    const [head, tail] = [JSON_1.slice(0, 9), JSON_1.slice(9)];
    for (const frames of [
      [head, tail],
      [head, utf8(tail)],
      [utf8(head), tail],
    ])
      expect(readAll(frames)).toEqual([{ type: "handshake", protocol: "json", version: 1 }, []]);
  });
});

const hex = (text: string): string => new Uint8Array(utf8(text)).toHex();

describe("refusals", () => {
  const UNREADABLE = "An unexpected error occurred during connection handshake.";

  test.each<[string, string]>([
    ['{"protocol":"xml","version":1}', "The protocol 'xml' is not supported."],
    ['{"protocol":"constructor","version":1}', "The protocol 'constructor' is not supported."],
    [
      '{"protocol":"json","version":3}',
      "The server does not support version 3 of the 'json' protocol.",
    ],
  ])("%s", (wire, error) => {
    expect(read(wire + RS)).toEqual({ type: "refused", error });
  });

  test.each<[string, string]>([
    ["", "Error reading JSON."],
    ["\ufeff{}", "Error reading JSON."],
    ["42", "Unexpected JSON Token Type 'Number'. Expected a JSON Object."],
    ["[]", "Unexpected JSON Token Type 'Array'. Expected a JSON Object."],
    ["null", "Unexpected JSON Token Type 'Null'. Expected a JSON Object."],
    ["{}", "Missing required property 'protocol'. Message content: {}"],
    [
      '{"protocol":"json"}',
      `Missing required property 'version'. Message content: {"protocol":"json"}`,
    ],
    ['{"protocol":null,"version":1}', "Expected 'protocol' to be of type String."],
    ['{"protocol":"json","version":"1"}', "Expected 'version' to be of type Number."],
    ['{"protocol":"json","version":true}', "Expected 'version' to be of type Number."],
  ])("%s, with the reason for those who may see it", (wire, reason) => {
    const refused = {
      type: "refused",
      error: UNREADABLE,
      detail: `InvalidDataException: ${reason}`,
    };
    expect(read(wire + RS)).toEqual(refused);
    expect(read(utf8(wire + RS))).toEqual(refused);
  });

  test.each(["1.0", "1e0", "1.5", "2147483648", "-2147483649", "1e999"])(
    "the version %s, which .NET does not read as an int",
    (version) => {
      const refused = {
        type: "refused",
        error: UNREADABLE,
        detail:
          "FormatException: Either the JSON value is not in a supported format, or is out of bounds for an Int32.",
      };
      expect(read(`{"protocol":"json","version":${version}}${RS}`)).toEqual(refused);
    },
  );

  test("MessagePack where the transport is text", () => {
    expect(readHandshake(MSGPACK_1, limits, { binary: false })).toEqual({
      type: "refused",
      error:
        "Cannot use the 'messagepack' protocol on the current transport. The transport does not support 'Binary' transfer format.",
    });
    expect(readHandshake(JSON_1, limits, { binary: false }).type).toBe("handshake");
  });

  test.each<[string, string | ArrayBuffer]>([
    ["a long one", `{"protocol":"json","version":1,"a":"${"x".repeat(64)}"}${RS}`],
    ["a long one in bytes", utf8(`{"protocol":"json","version":1,"a":"${"x".repeat(64)}"}${RS}`)],
    ["no end", "x".repeat(101)],
    ["no end in bytes", utf8("日".repeat(34))],
  ])("%s is canceled", (_what, frame) => {
    expect(read(frame)).toEqual({ type: "refused", error: "Handshake was canceled." });
  });

  test("one that never ends is canceled when it is too long", () => {
    const frames = Array.from({ length: 101 }, () => " ");
    expect(readAll(frames)).toEqual([{ type: "refused", error: "Handshake was canceled." }, []]);
    expect(readAll(frames.slice(1))).toHaveLength(100);
  });

  test("what follows does not count", () => {
    expect(read(JSON_1 + "x".repeat(200)).type).toBe("handshake");
  });

  test("30,000 frames of one byte are read a few times at most", () => {
    const wide = { messageBytes: 40_000 };
    const frames = Array.from({ length: 30_000 }, () => buffer([0x20]));
    let rest: Uint8Array = new Uint8Array();
    const work = workOf(() => {
      for (const frame of frames)
        ({ rest } = readHandshake(frame, wide, { binary: true, rest }) as { rest: Uint8Array });
    });
    expect(rest).toHaveLength(30_000);
    expect(work).toBeLessThan(5 * 30_000);
  });

  test("3,000 streams of any frames do not throw", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      fc.constantFrom(JSON_1, RS, "{", '"protocol":"json"', '"version":1e999}'),
    );
    const frames = fc.array(fc.oneof(texts, texts.map(utf8), fc.uint8Array().map(buffer)), {
      maxLength: 5,
    });
    const holds = (all: (string | ArrayBuffer)[]): boolean => readAll(all) !== null;
    expect(
      fc.check(fc.property(frames, holds), { numRuns: 3000, seed: SEED }).counterexample,
    ).toBeNull();
  });
});

describe("the answer", () => {
  test("is exactly an empty object, or an error", () => {
    expect(handshakeResponse()).toBe(`{}${RS}`);
    expect(handshakeResponse("The protocol '\"' is not supported.")).toBe(
      `{"error":"The protocol '\\"' is not supported."}${RS}`,
    );
  });

  test("travels as the protocol's messages do", () => {
    expect(handshakeFrame("json")).toBe(`{}${RS}`);
    expect(handshakeFrame("messagepack")).toEqual(new Uint8Array([0x7b, 0x7d, 0x1e]));
    expect(handshakeFrame("messagepack", "e")).toEqual(new Uint8Array(utf8(`{"error":"e"}${RS}`)));
  });
});
