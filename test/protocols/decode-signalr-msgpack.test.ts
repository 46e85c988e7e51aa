// SignalR's MessagePack as a stream: frames that split or join messages, oversized messages, and hostile input.

import { encode } from "@msgpack/msgpack";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/model/options.ts";
import { signalrMsgpack } from "../../src/protocols/signalr-msgpack.ts";
import { buffer, cut, hear, survives, workOf } from "./hub-stream.ts";

const RUNS = { numRuns: 3000, seed: 20261121 };
const msgpack = signalrMsgpack({ verbatim: false });

const bytes = (hex: string): ArrayBuffer => buffer(Uint8Array.fromHex(hex.replaceAll(" ", "")));

function framed(message: unknown): number[] {
  const payload = encode(message);
  const { length } = payload;
  return length < 128 ? [length, ...payload] : [(length & 0x7f) | 0x80, length >> 7, ...payload];
}

const MESSAGES = [
  [1, {}, null, "send", ["日本", { text: "😀", at: 1.5, of: new Date(0) }]],
  [1, {}, "1", "send", ["x".repeat(200), new Uint8Array(9)], ["2"]],
  [2, {}, "2", null],
  [3, {}, "2", 2],
  [4, {}, "3", "prices", [1], []],
  [5, {}, "é"],
  [6],
  [8, 9],
  [9, 1],
  [7, "bye", true],
];
const STREAM = buffer(MESSAGES.flatMap(framed));
const WHOLE = hear(msgpack, [STREAM]);

describe("frames are pieces of one stream", () => {
  test("cut at any byte, they say the same", () => {
    expect(WHOLE.messages).toHaveLength(MESSAGES.length);
    for (let at = 0; at <= STREAM.byteLength; at++)
      expect(hear(msgpack, cut(STREAM, at))).toEqual(WHOLE);
  });

  test("byte by byte, they say the same", () => {
    const frames = [...new Uint8Array(STREAM)].map((byte) => buffer([byte]));
    expect(hear(msgpack, frames)).toEqual(WHOLE);
  });

  test("a Text frame is its bytes", () => {
    expect(hear(msgpack, ["\u0003\u0012\u0008\u0009"]).messages).toEqual([
      ["malformed", "InvalidDataException: Bytes behind the message."],
    ]);
    expect(hear(msgpack, ["\u0001"])).toEqual({ messages: [], waiting: 1 });
  });

  test("what waits is a copy, not the frame", () => {
    const { rest } = msgpack.decode(bytes("02 91 06 02 91 06 02"), LIMITS);
    expect((rest as Uint8Array).buffer.byteLength).toBe(1);
  });
});

describe("lengths", () => {
  const LARGE = [
    "too_large",
    "InvalidDataException: The maximum message size of 36B was exceeded. The message size can be configured in AddHubOptions.",
  ];
  const limits = { messageBytes: 36 };

  test("count the message with its length, however many share the frame", () => {
    const longest = framed([5, {}, "x".repeat(31)]);
    expect(longest).toHaveLength(36);
    const { messages } = hear(msgpack, [buffer([...longest, ...longest])], limits);
    expect(messages).toHaveLength(2);
  });

  test("say what came before a message that is too large, and nothing behind it", () => {
    const frame = [...framed([6]), ...framed([5, {}, "x".repeat(32)]), ...framed([6])];
    expect(hear(msgpack, [buffer(frame)], limits).messages).toEqual([{ type: "ping" }, LARGE]);
  });

  test("are refused by their claim, before anybody waits", () => {
    expect(hear(msgpack, [bytes("24")], limits).messages).toEqual([LARGE]);
    expect(hear(msgpack, [bytes("23")], limits)).toEqual({ messages: [], waiting: 1 });
    expect(hear(msgpack, [bytes("ff ff ff ff 07")], limits).messages).toEqual([LARGE]);
  });

  test.each(["ff ff ff ff 08", "80 80 80 80 80 01", "ff ff ff ff ff"])(
    "%s are beyond 2³¹",
    (hex) => {
      const detail = "InvalidDataException: Messages bigger than 2GB are not supported.";
      expect(hear(msgpack, [bytes(hex)]).messages).toEqual([["malformed", detail]]);
    },
  );

  test("are read once: a message in 30,000 frames of one byte is read a few times at most", () => {
    const head = [0xb0, 0xea, 0x01];
    const frames = [buffer(head), ...Array.from({ length: 29_997 }, () => buffer([0]))];
    const work = workOf(() => expect(hear(msgpack, frames).waiting).toBe(30_000));
    expect(work).toBeLessThan(5 * 30_000);
  });

  test.each([
    ["of an unknown extension", "d4 05 00"],
    ["of 100 levels", `${"91".repeat(100)} c0`],
  ])("have a tail that is not decoded, behind an argument %s", (_what, argument) => {
    const call = [...new Uint8Array(bytes(`01 80 a1 37 a1 6d 91 ${argument} 90`))];
    const tail = Array.from({ length: 30 * 256 }, (_, at) => (at % 256 === 0 ? 0xc4 : 0xfe));
    const payload = [0xdc, 0, 6 + 30, ...call, ...tail];
    const frame = buffer([(payload.length & 0x7f) | 0x80, payload.length >> 7, ...payload]);
    const work = workOf(() =>
      expect(hear(msgpack, [frame]).messages).toEqual([
        expect.objectContaining({ type: "invocation", id: "7", target: "m", args: [] }),
      ]),
    );
    expect(work).toBeLessThan(256);
  });

  test("may be written with more bytes than needed; nothing is no message", () => {
    expect(hear(msgpack, [bytes("82 80 80 80 00 91 06")]).messages).toEqual([{ type: "ping" }]);
    const detail = "InvalidDataException: The message ends within a value.";
    expect(hear(msgpack, [bytes("00")]).messages).toEqual([["malformed", detail]]);
  });
});

describe("hostile input", () => {
  test("ten times as many messages as a batch may have share a frame, and no more", () => {
    const detail = "InvalidDataException: Frame of more than 1000 messages.";
    const pings = (count: number) =>
      buffer(Array.from({ length: count }, () => [2, 0x91, 6]).flat());
    expect(hear(msgpack, [pings(1000)]).messages).toHaveLength(1000);
    const { messages, waiting } = hear(msgpack, [pings(100_000)]);
    expect([messages.length, messages.at(-1), waiting]).toEqual([1001, ["too_large", detail], 0]);
  });

  test("nesting beyond the limit is too deep", () => {
    const nested = (depth: number) => buffer([depth + 1, ...Array(depth).fill(0x91), 0x90]);
    const detail = "InvalidDataException: Nested deeper than 64 levels.";
    expect(hear(msgpack, [nested(64)]).messages).toEqual([["too_deep", detail]]);
    expect(hear(msgpack, [nested(63)]).messages).not.toEqual([["too_deep", detail]]);
  });

  const holds = (frames: ArrayBuffer[]): boolean => survives(msgpack, frames);

  const value = fc.oneof(
    fc.anything({ withDate: true, withTypedArray: true, maxDepth: 2, key: fc.string() }),
    fc.constantFrom("1", "m", [], ["1"], {}, null, 1, 2, 3),
  );

  /** The right items with any values that MessagePack can represent. */
  const shapes = fc
    .tuple(fc.oneof(fc.integer({ min: 0, max: 10 }), value), fc.array(value, { maxLength: 5 }))
    .map(([type, items]) => {
      try {
        return buffer(framed([type, {}, ...items]));
      } catch {
        return buffer([2, 0x91, 6]);
      }
    });

  /** A valid stream with some bytes replaced. */
  const mutations = fc
    .array(fc.tuple(fc.nat(STREAM.byteLength - 1), fc.nat(255)), { maxLength: 6 })
    .map((changes) => {
      const changed = new Uint8Array(STREAM.slice(0));
      for (const [at, byte] of changes) changed[at] = byte;
      return changed.buffer;
    });

  /** Any bytes after their length. */
  const payloads = fc.uint8Array({ maxLength: 100 }).map((data) => buffer([data.length, ...data]));

  test.each([
    ["mutations", mutations],
    ["items of any value", shapes],
    ["any payload", payloads],
    ["any bytes", fc.uint8Array({ maxLength: 200 }).map(buffer)],
  ])("3,000 streams of %s give well-formed messages", (_what, frame) => {
    const streams = fc.property(fc.array(frame, { maxLength: 4 }), holds);
    expect(fc.check(streams, RUNS).counterexample).toBeNull();
  });
});
