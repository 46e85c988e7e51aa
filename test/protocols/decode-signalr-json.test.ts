// SignalR's JSON as a stream: frames that split or join messages, oversized messages, and hostile input.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PING } from "../../src/model/wire-constants.ts";
import { LIMITS } from "../../src/model/options.ts";
import { signalrJson } from "../../src/protocols/signalr-json.ts";
import { buffer, cut, hear, survives, utf8, workOf } from "./hub-stream.ts";

const RUNS = { numRuns: 3000, seed: 20261121 };
const RS = "\u001e";
const json = signalrJson({ verbatim: false });

const WIRES = [
  '{"type":1,"target":"send","arguments":["日本",{"text":"😀 \\ud83d","at":1.5e3}]}',
  '{"type":1,"invocationId":"1","target":"send","arguments":[],"streamIds":["2"]}',
  '{"type":2,"invocationId":"2","item":null}',
  '{"type":3,"invocationId":"2"}',
  '{"type":4,"invocationId":"3","target":"prices","arguments":[1]}',
  '{"type":5,"invocationId":"\ufeffé"}',
  '{"type":6}',
  '{"type":8,"sequenceId":9}',
  '{"type":9,"sequenceId":1}',
  '{"type":7,"error":"bye"}',
];
const STREAM = WIRES.map((wire) => wire + RS).join("");
const WHOLE = hear(json, [STREAM]);

describe("frames are pieces of one stream", () => {
  test("cut at any byte, Binary frames say the same", () => {
    const frame = utf8(STREAM);
    expect(WHOLE.messages).toHaveLength(WIRES.length);
    for (let at = 0; at <= frame.byteLength; at++)
      expect(hear(json, cut(frame, at))).toEqual(WHOLE);
  });

  test("cut at any character, Text frames say the same, and so do frames of both kinds", () => {
    const characters = [...STREAM];
    for (let at = 0; at <= characters.length; at++) {
      const [head, tail] = [characters.slice(0, at).join(""), characters.slice(at).join("")];
      for (const frames of [
        [head, tail],
        [head, utf8(tail)],
        [utf8(head), tail],
      ])
        expect(hear(json, frames)).toEqual(WHOLE);
    }
  });

  test("byte by byte, they say the same", () => {
    const frames = [...new Uint8Array(utf8(STREAM))].map((byte) => buffer([byte]));
    expect(hear(json, frames)).toEqual(WHOLE);
  });

  test("what waits is a copy, not the frame", () => {
    const { rest } = json.decode(utf8(`${PING.repeat(9)}{`), LIMITS);
    expect((rest as Uint8Array).buffer.byteLength).toBe(1);
  });
});

describe("sizes", () => {
  const LARGE = [
    "too_large",
    "InvalidDataException: The maximum message size of 36B was exceeded. The message size can be configured in AddHubOptions.",
  ];
  const limits = { messageBytes: 36 };
  const message = `{"type":5,"invocationId":"日"}${RS}`;
  const longest = `{"type":5,"invocationId":"日1234"}${RS}`;

  test("counts the bytes of one message with its separator, however many share the frame", () => {
    expect(utf8(longest).byteLength).toBe(36);
    for (const frame of [message + longest, utf8(message + longest)])
      expect(hear(json, [frame], limits).messages).toEqual([
        { type: "cancel", id: "日" },
        { type: "cancel", id: "日1234" },
      ]);
  });

  test("says what came before a message that is too large, and nothing behind it", () => {
    const frame = `${message} ${longest}${message}`;
    for (const frames of [[frame], [utf8(frame)]])
      expect(hear(json, frames, limits).messages).toEqual([{ type: "cancel", id: "日" }, LARGE]);
  });

  test.each([
    ["Text", "x".repeat(37)],
    ["Binary", utf8("x".repeat(37))],
  ])("ends as soon as more is buffered without an end: %s", (_opcode, frame) => {
    expect(hear(json, [frame], limits).messages).toEqual([LARGE]);
  });

  test("a message that comes byte by byte ends at the limit too", () => {
    const frames = Array.from({ length: 100 }, () => "x");
    expect(hear(json, frames, limits)).toEqual({ messages: [LARGE], waiting: 0 });
    expect(hear(json, frames.slice(0, 36), limits)).toEqual({ messages: [], waiting: 36 });
  });

  test("ten times as many messages as a batch may have share a frame, and no more", () => {
    const detail = "InvalidDataException: Frame of more than 1000 messages.";
    expect(hear(json, [PING.repeat(1000)]).messages).toHaveLength(1000);
    const { messages, waiting } = hear(json, [PING.repeat(100_000)]);
    expect([messages.length, messages.at(-1), waiting]).toEqual([1001, ["too_large", detail], 0]);
  });

  test.each([" ", buffer([32])])(
    "30,000 frames of one byte are read a few times at most",
    (one) => {
      const frames = Array.from({ length: 30_000 }, () => one);
      const work = workOf(() => expect(hear(json, frames).waiting).toBe(30_000));
      expect(work).toBeLessThan(5 * 30_000);
    },
  );
});

const TOKENS = [RS, "{", "}", "[", '"', "\\", '"type":', "1", '"__proto__":', "null", "\ud800"];

const pieces = fc.oneof(
  fc.constantFrom(...WIRES, ...TOKENS),
  fc.string({ unit: "binary" }),
  fc.json(),
);

const texts = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(""));

/** The right members with any values, which mutations of text rarely produce. */
const value = fc.oneof(fc.jsonValue(), fc.constantFrom("1", "", [], ["1"], {}, 0));
const shapes = fc
  .record(
    {
      type: fc.oneof(fc.integer({ min: 0, max: 10 }), fc.jsonValue()),
      ...{ headers: value, invocationId: value, target: value, arguments: value },
      ...{ streamIds: value, item: value, result: value, error: value, sequenceId: value },
    },
    { requiredKeys: ["type"] },
  )
  .map((members) => JSON.stringify(members) + RS);

const bytes = fc.uint8Array({ maxLength: 200 }).map(buffer);

describe("hostile input", () => {
  test.each<[string, fc.Arbitrary<string | ArrayBuffer>]>([
    ["pieces", fc.oneof(texts, texts.map(utf8))],
    ["members of any value", shapes],
    ["any bytes", bytes],
  ])("3,000 streams of %s give well-formed messages", (_what, frame) => {
    const holds = (frames: (string | ArrayBuffer)[]): boolean => survives(json, frames);
    const streams = fc.property(fc.array(frame, { maxLength: 4 }), holds);
    expect(fc.check(streams, RUNS).counterexample).toBeNull();
  });

  test("a bomb of depth is refused before it is parsed", () => {
    const { messages } = hear(json, ["[".repeat(1_000_000) + RS], { messageBytes: 2 ** 24 });
    expect(messages).toEqual([["too_deep", "InvalidDataException: Nested deeper than 64 levels."]]);
  });
});
