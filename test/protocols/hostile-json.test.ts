// Hostile JSON-RPC text: mutations, names and bombs. Decoding never throws, and every refusal has a known code.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CallId, Incoming } from "../../src/model/message.ts";
import { LIMITS, type Limits } from "../../src/model/options.ts";
import { depthError, hasPrototypeKey, mayHavePrototypeKey } from "../../src/protocols/json.ts";
import { jsonRpc } from "../../src/protocols/json-rpc-codec.ts";

const SEED = 20261120;

const decode = (wire: string, limits: Partial<Limits> = {}) =>
  jsonRpc.decode(wire, { ...LIMITS, ...limits });

/** The codes of refused messages, and the types of the others. */
const heard = (wire: string, limits?: Partial<Limits>): string[] =>
  decode(wire, limits).messages.map((message) =>
    message.type === "malformed" ? message.error.code : message.type,
  );

const isId = (id: CallId) =>
  id === null || (typeof id === "string" ? id.length <= 128 : Number.isSafeInteger(Math.trunc(id)));

const isName = (name: string) => name.length > 0 && name.length <= 128;

/** The guarantees that the dispatcher relies on, for any input. */
function isWellFormed(message: Incoming): boolean {
  switch (message.type) {
    case "invocation":
      return isName(message.target) && Array.isArray(message.args) && isId(message.id ?? null);
    case "item":
    case "end":
      return isName(message.stream);
    case "cancel":
    case "answer":
    case "refusal":
      return isId(message.id);
    case "malformed":
      return (message.id === undefined || isId(message.id)) && isPublic(message);
    case "completed":
    case "ping":
    case "close":
    case "ack":
    case "sequence":
    case "broken":
      return false; // Words of other protocols.
  }
}

const CODES = ["malformed", "invalid_request", "too_large", "too_deep"];

/** A known code and one of our own sentences: no stack, no path, no text of the engine's errors. */
const isPublic = ({ error }: Incoming & { type: "malformed" }): boolean =>
  CODES.includes(error.code) &&
  /^[A-Z$][^\n]{5,120}\.$/.test(error.message) &&
  !/\.ts|Error|JSON at/.test(error.message);

/** Every refusal can be encoded, as valid JSON-RPC. */
function isAnswerable(message: Incoming): boolean {
  if (message.type !== "malformed" || message.id === undefined) return true;
  const record = jsonRpc.encode({ type: "failure", id: message.id, error: message.error });
  const { id, error } = JSON.parse(record) as { id: CallId; error: { code: number } };
  return id === message.id && Number.isInteger(error.code);
}

const SAMPLES = [
  '{"jsonrpc":"2.0","id":1,"method":"send","params":["lobby",{"text":"hi","at":1.5e3}]}',
  '{"jsonrpc":"2.0","method":"upload","params":[{"$stream":"u1"}],"idempotencyKey":"k"}',
  '[{"jsonrpc":"2.0","method":"$/item","params":{"stream":"u1","item":[1,null]}},{"jsonrpc":"2.0","id":"s1","result":true}]',
  '{"jsonrpc":"2.0","id":"s2","error":{"code":-32000,"message":"no \\u0041"}}',
  '{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":7}}',
];

const TOKENS = [
  "{",
  "}",
  "[",
  "]",
  '"',
  "\\",
  ",",
  ":",
  "null",
  "-",
  "1e999",
  '"__proto__":',
  "\u0000",
  "\ud800",
];

/** Replaces a piece of a sample by another, up to eight times. */
const mutations = fc
  .record({
    sample: fc.constantFrom(...SAMPLES),
    cuts: fc.array(
      fc.record({
        at: fc.nat(200),
        length: fc.nat(12),
        put: fc.oneof(fc.constantFrom(...TOKENS), fc.string({ unit: "binary" }), fc.json()),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  })
  .map(({ sample, cuts }) =>
    cuts.reduce((text, { at, length, put }) => {
      const start = at % (text.length + 1);
      return text.slice(0, start) + put + text.slice(start + length);
    }, sample),
  );

/** The right members with wrong values, which mutations of text rarely produce. */
const shapes = fc
  .record(
    {
      jsonrpc: fc.oneof({ arbitrary: fc.constant("2.0"), weight: 9 }, fc.jsonValue()),
      id: fc.oneof(fc.constantFrom("s1", 1, null), fc.jsonValue()),
      method: fc.oneof(fc.constantFrom("m", "$/item", "$/end", "$/cancelRequest"), fc.jsonValue()),
      params: fc.oneof(
        fc.record(
          {
            stream: fc.jsonValue(),
            item: fc.jsonValue(),
            id: fc.jsonValue(),
            error: fc.jsonValue(),
          },
          { requiredKeys: [] },
        ),
        fc.jsonValue(),
      ),
      result: fc.jsonValue(),
      error: fc.oneof(fc.record({ message: fc.jsonValue() }), fc.jsonValue()),
      idempotencyKey: fc.jsonValue(),
    },
    { requiredKeys: ["jsonrpc"] },
  )
  .map((value) => JSON.stringify(value));

describe("mutations", () => {
  test.each([
    ["text", mutations],
    ["shape", shapes],
  ])(
    "[S1] 2,000 messages mutated in their %s give well-formed messages and answers",
    (_what, wires) => {
      const holds = (wire: string) => {
        const { messages } = decode(wire);
        return messages.length > 0 && messages.every((m) => isWellFormed(m) && isAnswerable(m));
      };
      expect(
        fc.check(fc.property(wires, holds), { numRuns: 2000, seed: SEED }).counterexample,
      ).toBeNull();
    },
  );
});

describe("names", () => {
  const NAMES = [
    ...["__proto__", "constructor", "toString", "hasOwnProperty", "then", "valueOf", "$stream"],
    ...[
      "",
      "\u0000",
      "\u2028",
      "\u202e",
      "\ud800",
      "\udfff\ud800",
      "../..",
      "\r\nX: y",
      "'; DROP TABLE",
    ],
    ...["x".repeat(128), "x".repeat(129), "x".repeat(2 ** 20), "𝄞".repeat(64), "e\u0301"],
  ];
  const names = fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: "binary", maxLength: 140 }));

  // Only `$/item` and the like are no calls, and no name here equals them.
  function callsExactly(name: string): boolean {
    const [message] = decode(JSON.stringify({ jsonrpc: "2.0", id: name, method: name })).messages;
    if (message?.type === "invocation") return message.target === name && message.id === name;
    return message?.type === "malformed" && !isName(name);
  }

  function streamsExactly(name: string): boolean {
    const params = { stream: name, item: { name } };
    const [message] = decode(JSON.stringify({ jsonrpc: "2.0", method: "$/item", params })).messages;
    if (message?.type === "item") return message.stream === name;
    return message?.type === "malformed" && !isName(name);
  }

  test("[S1] 1,000 hostile names are taken exactly or refused", () => {
    const holds = (name: string) => callsExactly(name) && streamsExactly(name);
    expect(
      fc.check(fc.property(names, holds), { numRuns: 1000, seed: SEED }).counterexample,
    ).toBeNull();
  });

  test("[S1] 1,000 hostile keys of arguments stay data, or are refused when they are __proto__", () => {
    const holds = (key: string) => {
      const argument = `{${JSON.stringify(key)}:1}`;
      const [got] = decode(`{"jsonrpc":"2.0","method":"m","params":[${argument},0]}`).messages;
      if (got?.type === "malformed") return key === "__proto__" || key.length > 30_000;
      return got?.type === "invocation" && JSON.stringify(got.args) === `[${argument},0]`;
    };
    const keys = names.filter((key) => key !== "$stream");
    expect(
      fc.check(fc.property(keys, holds), { numRuns: 1000, seed: SEED }).counterexample,
    ).toBeNull();
  });
});

describe("__proto__", () => {
  test.each([
    ["lends no method", '{"__proto__":{"jsonrpc":"2.0","id":1,"method":"x"}}'],
    ["lends no id", '{"jsonrpc":"2.0","method":"m","__proto__":{"id":1}}'],
    [
      "is refused in arguments",
      '{"jsonrpc":"2.0","method":"m","params":[{"a":[{"__proto__":{}}]}]}',
    ],
    ["is refused in results", '{"jsonrpc":"2.0","id":"s1","result":{"__proto__":null}}'],
    [
      "is refused when escaped",
      '{"jsonrpc":"2.0","method":"m","params":{"_\\u005fpr\\u006Fto__":1}}',
    ],
    [
      "is refused when escaped in lower and upper case",
      '{"jsonrpc":"2.0","method":"m","params":{"\\u005F_pro\\u0074o__":1}}',
    ],
  ])("[S1] %s", (_title, wire) => {
    expect(heard(wire)).toEqual(["invalid_request"]);
  });

  test("[S1] is a word like others where it is no key", () => {
    const wire =
      '{"jsonrpc":"2.0","method":"__proto__","params":["__proto__","_\\u005f",{"proto":1}]}';
    expect(decode(wire).messages).toEqual([
      { type: "invocation", target: "__proto__", args: ["__proto__", "__", { proto: 1 }] },
    ]);
  });

  test("[S1] refuses only the element of a batch that has it", () => {
    const wire =
      '[{"jsonrpc":"2.0","method":"m"},{"jsonrpc":"2.0","id":2,"method":"m","__proto__":1}]';
    expect(heard(wire)).toEqual(["invocation", "invalid_request"]);
  });

  test("[S1] no spelling of the key escapes the quick look", () => {
    const letters = [..."__proto__"].map((letter) => {
      const hex = letter.charCodeAt(0).toString(16).padStart(4, "0");
      return fc.constantFrom(letter, `\\u${hex}`, `\\u${hex.toUpperCase()}`);
    });
    const holds = (spelling: string[]) => {
      const text = `{"${spelling.join("")}":1}`;
      return hasPrototypeKey(JSON.parse(text)) && mayHavePrototypeKey(text);
    };
    expect(
      fc.check(fc.property(fc.tuple(...letters), holds), { numRuns: 1000, seed: SEED })
        .counterexample,
    ).toBeNull();
  });
});

describe("bombs", () => {
  const UNLIMITED = { messageBytes: 2 ** 30 };
  const arrays = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  const objects = (depth: number) => '{"a":'.repeat(depth) + "1" + "}".repeat(depth);

  test.each([100, 1e3, 1e4, 1e5, 1e6])("[S2] refuses JSON nested %d deep", (depth) => {
    expect(heard(arrays(depth), UNLIMITED)).toEqual(["too_deep"]);
    expect(heard(objects(depth), UNLIMITED)).toEqual(["too_deep"]);
    expect(heard("[".repeat(depth), UNLIMITED)).toEqual(["too_deep"]);
  });

  test("[S2] takes arguments nested as deep as the limit", () => {
    const call = (depth: number) => `{"jsonrpc":"2.0","method":"m","params":${arrays(depth)}}`;
    expect(heard(call(10))).toEqual(["invocation"]);
    expect(heard(call(LIMITS.depth - 1))).toEqual(["invocation"]);
    expect(heard(call(LIMITS.depth))).toEqual(["too_deep"]);
  });

  test("[S2] refuses a map of a million keys by its size", () => {
    const keys = Array.from({ length: 1e6 }, (_, key) => `"${key}":0`);
    expect(heard(`{${keys.join(",")}}`)).toEqual(["too_large"]);
  });

  test("[S2] refuses a hundred thousand records in a frame, by size and by number", () => {
    const wire = `[${Array(1e5).fill('{"jsonrpc":"2.0","method":"m"}').join(",")}]`;
    expect(heard(wire)).toEqual(["too_large"]);
    expect(heard(wire, UNLIMITED)).toEqual(["too_large"]);
  });

  test.each([LIMITS.messageBytes + 1, 2 ** 20, 2 ** 25])(
    "[S2] refuses a frame of %d bytes",
    (bytes) => {
      expect(heard("1".repeat(bytes))).toEqual(["too_large"]);
    },
  );
});

describe("depth", () => {
  test.each([
    ["brackets in strings are text", `["${"[{".repeat(99)}"]`, 1],
    ["an escaped quote does not end a string", `["\\"${"[".repeat(99)}"]`, 1],
    ["an escaped backslash does not hide a quote", `["\\\\",[[]]]`, 3],
    ["siblings do not add up", `[${"[],".repeat(99)}[]]`, 2],
    ["an unfinished string ends the text", `["${"[".repeat(99)}`, 1],
  ])("%s", (_title, text, depth) => {
    expect(depthError(text, depth)).toBeUndefined();
    expect(depthError(text, depth - 1)?.code).toBe("too_deep");
  });

  test("is what walking the parsed value finds", () => {
    const walk = (value: unknown): number =>
      typeof value !== "object" || value === null
        ? 0
        : 1 + Math.max(0, ...Object.values(value).map(walk));
    const holds = (value: unknown) => {
      const depth = walk(value);
      const text = JSON.stringify(value);
      return !depthError(text, depth) && (depth === 0 || !!depthError(text, depth - 1));
    };
    expect(
      fc.check(fc.property(fc.jsonValue({ maxDepth: 6 }), holds), { numRuns: 1000, seed: SEED })
        .counterexample,
    ).toBeNull();
  });
});
