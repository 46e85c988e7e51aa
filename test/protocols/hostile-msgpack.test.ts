// Hostile MessagePack, refused before values are built: false lengths, bombs, truncation, and unsupported values.

import { decode, encode } from "@msgpack/msgpack";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { msgpackError } from "../../src/protocols/hostile-msgpack.ts";

const SEED = 20261121;

const bytes = (hex: string): Uint8Array => Uint8Array.fromHex(hex.replaceAll(" ", ""));

const refusal = (hex: string, limit = 64): string | undefined =>
  msgpackError(bytes(hex), limit)?.message;

const TRUNCATED = "The message ends within a value.";

describe("every format, whole", () => {
  test.each([
    ["positive fixint", "7f"],
    ["fixmap", "81 a1 61 01"],
    ["fixarray", "92 01 02"],
    ["fixstr", "a2 68 69"],
    ["nil, false, true", "93 c0 c2 c3"],
    ["bin 8", "c4 01 ff"],
    ["bin 16", "c5 0001 ff"],
    ["bin 32", "c6 00000001 ff"],
    ["float 32 and 64", "92 ca 00000000 cb 0000000000000000"],
    ["uint 8 and 16", "92 cc ff cd ffff"],
    ["uint 32 and 64", "92 ce ffffffff cf 001fffffffffffff"],
    ["int 8 and 16", "92 d0 80 d1 8000"],
    ["int 32 and 64", "92 d2 80000000 d3 ffe0000000000001"],
    ["str 8, 16 and 32", "93 d9 01 61 da 0001 61 db 00000001 61"],
    ["array 16 and 32", "92 dc 0001 01 dd 00000001 01"],
    ["map 16 and 32", "92 de 0001 a1 61 01 df 00000001 a1 61 01"],
    ["negative fixint", "e0"],
    [
      "timestamps of 4, 8 and 12 bytes",
      `93 d6ff${"00".repeat(4)} d7ff${"00".repeat(8)} c70cff${"00".repeat(12)}`,
    ],
    ["empty containers", "94 80 90 de 0000 dd 00000000"],
  ])("takes %s", (_format, hex) => {
    expect(refusal(hex)).toBeUndefined();
  });
});

describe("claims", () => {
  test.each([
    ["nothing at all", ""],
    ["a string of 2³²−1 bytes", "db ffffffff 61"],
    ["bytes of 2³²−1", "c6 ffffffff 61"],
    ["an extension of 2³²−1 bytes", "c9 ffffffff ff"],
    ["an array of 2³²−1 values", "dd ffffffff 01"],
    ["a map of 2³²−1 pairs", "df ffffffff a1 61 01"],
    ["a map whose last value is missing", "81 a1 61"],
    ["arrays that both claim the same bytes", "92 92 01 02"],
    ["a length of which half is there", "da 00"],
    ["a number of which half is there", "cb 00000000"],
    ["an extension without its type", "c7 00"],
  ])("refuses %s", (_what, hex) => {
    expect(refusal(hex)).toBe(TRUNCATED);
  });

  test("refuses every beginning of a message, and anything behind it", () => {
    const whole = encode([1, {}, "1", "send", ["日本", 1.5, [true, null], { a: -70_000 }], []]);
    for (let end = 0; end < whole.length; end++)
      expect(msgpackError(whole.subarray(0, end), 64)?.message).toBe(TRUNCATED);
    expect(refusal("01 01")).toBe("Bytes behind the message.");
  });

  test("32 KiB of claims, each within the one before, cost no more than their bytes", () => {
    const claims = new Uint8Array(32_000);
    for (let at = 0; at + 5 <= claims.length; at += 5) {
      claims[at] = 0xdd;
      new DataView(claims.buffer).setUint32(at + 1, claims.length - at - 5);
    }
    expect(msgpackError(claims, 1e9)?.message).toBe(TRUNCATED);
  });
});

describe("depth", () => {
  test("counts arrays and maps, empty ones too, and takes as many as the limit says", () => {
    expect(refusal("91 81 a1 61 90", 3)).toBeUndefined();
    expect(msgpackError(bytes("91 81 a1 61 90"), 2)?.code).toBe("too_deep");
    expect(refusal("90", 0)).toBe("Nested deeper than 0 levels.");
  });

  test.each([
    ["arrays", 0x91],
    ["maps whose keys are maps", 0x81],
  ])("refuses a million nested %s at the limit, without recursion", (_what, head) => {
    const bomb = new Uint8Array(1_000_000).fill(head);
    expect(msgpackError(bomb, 64)?.message).toBe("Nested deeper than 64 levels.");
    expect(msgpackError(bomb, 1e9)?.message).toBe(TRUNCATED);
  });
});

describe("words we do not have", () => {
  test.each([["the byte that is never used", "c1", "The byte 0xc1 begins no value."]])(
    "refuses %s",
    (_what, hex, sentence) => {
      expect(refusal(hex)).toBe(sentence);
    },
  );
});

describe("against the decoder", () => {
  // Extensions are left to the decoder's caller.
  const extensionCodec = { decode: () => null, tryToEncode: () => null };
  const decodes = (payload: Uint8Array): boolean => {
    try {
      decode(payload, { mapKeyConverter: String, extensionCodec });
      return true;
    } catch {
      return false;
    }
  };

  test("10,000 payloads of any bytes: what passes is decoded", () => {
    const holds = (payload: Uint8Array) =>
      msgpackError(payload, 64) !== undefined || decodes(payload);
    const payloads = fc.property(fc.uint8Array({ maxLength: 60 }), holds);
    expect(fc.check(payloads, { numRuns: 10_000, seed: SEED }).counterexample).toBeNull();
  });

  test("5,000 encoded values pass", () => {
    const holds = (value: unknown) => msgpackError(encode(value), 64) === undefined;
    const values = fc.property(
      fc.anything({
        withDate: true,
        withTypedArray: true,
        maxDepth: 4,
        key: fc.string(),
        withNullPrototype: false,
      }),
      (value) => {
        try {
          encode(value);
        } catch {
          return true;
        }
        return holds(value);
      },
    );
    expect(fc.check(values, { numRuns: 5000, seed: SEED }).counterexample).toBeNull();
  });
});
