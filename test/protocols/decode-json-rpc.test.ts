// Refusals of inbound JSON-RPC: their codes and ids. The specification's own examples come first.

import { describe, expect, test } from "vitest";
import { PING } from "../../src/model/wire-constants.ts";
import { HubError } from "../../src/model/errors.ts";
import { LIMITS, type Limits } from "../../src/model/options.ts";
import { jsonRpc } from "../../src/protocols/json-rpc-codec.ts";

/** The messages of a frame, errors by their codes. */
function heard(frame: string | ArrayBuffer, limits: Partial<Limits> = {}): unknown {
  const { messages, batch } = jsonRpc.decode(frame, { ...LIMITS, ...limits });
  const said = messages.map((message) =>
    message.type === "malformed" ? [message.error.code, message.id] : message,
  );
  return batch ? { batch: said } : said;
}

/** The sentence that refuses a frame's only message. */
function sentence(frame: string): string | undefined {
  const [message] = jsonRpc.decode(frame, LIMITS).messages;
  return message?.type === "malformed" ? message.error.message : undefined;
}

const batch = (count: number): string =>
  `[${Array<string>(count).fill('{"jsonrpc":"2.0","method":"m"}').join(",")}]`;

const call = (target: string, args: unknown[], id?: string | number) => ({
  type: "invocation",
  target,
  args,
  ...(id !== undefined && { id }),
});

describe("the specification's examples (jsonrpc.org/specification, section 7)", () => {
  test.each([
    [
      "positional parameters",
      '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
      [call("subtract", [42, 23], 1)],
    ],
    [
      "named parameters",
      '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
      [{ ...call("subtract", [{ subtrahend: 23, minuend: 42 }], 3), byName: true }],
    ],
    [
      "a notification",
      '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}',
      [call("update", [1, 2, 3, 4, 5])],
    ],
    [
      "a notification without params",
      '{"jsonrpc": "2.0", "method": "foobar"}',
      [call("foobar", [])],
    ],
    [
      "invalid JSON",
      '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
      [["malformed", null]],
    ],
    [
      "an invalid request",
      '{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
      [["invalid_request", null]],
    ],
    [
      "a batch of invalid JSON",
      '[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},{"jsonrpc": "2.0", "method"]',
      [["malformed", null]],
    ],
    ["an empty batch", "[]", [["invalid_request", null]]],
    ["an invalid batch", "[1]", { batch: [["invalid_request", null]] }],
    [
      "a batch of three invalid requests",
      "[1,2,3]",
      {
        batch: [
          ["invalid_request", null],
          ["invalid_request", null],
          ["invalid_request", null],
        ],
      },
    ],
    [
      "a mixed batch",
      `[
        {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
        {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
      ]`,
      {
        batch: [
          call("sum", [1, 2, 4], "1"),
          call("notify_hello", [7]),
          call("subtract", [42, 23], "2"),
          ["invalid_request", null],
          { ...call("foo.get", [{ name: "myself" }], "5"), byName: true },
          call("get_data", [], "9"),
        ],
      },
    ],
    [
      "a batch of notifications",
      '[{"jsonrpc": "2.0", "method": "sum", "params": [1]},{"jsonrpc": "2.0", "method": "hello"}]',
      { batch: [call("sum", [1]), call("hello", [])] },
    ],
  ])("decodes %s", (_title, wire, expected) => {
    expect(heard(wire)).toEqual(expected);
  });
});

describe("frames", () => {
  test("hears nothing in a ping", () => {
    expect(heard(PING)).toEqual([]);
  });

  test("refuses bytes: JSON-RPC is text", () => {
    expect(heard(new ArrayBuffer(2))).toEqual([["invalid_request", null]]);
  });

  test("counts UTF-8 bytes, and takes a frame of exactly the limit", () => {
    const wire = '{"jsonrpc":"2.0","method":"日本"}';
    const bytes = wire.length + 4;
    expect(heard(wire, { messageBytes: bytes })).toEqual([call("日本", [])]);
    expect(heard(wire, { messageBytes: bytes - 1 })).toEqual([["too_large", null]]);
  });

  test("names what it measured, and the limit", () => {
    expect(sentence("x".repeat(70_112))).toBe(
      "Frame of 70,112 characters; 32,768 allowed (limits.messageBytes).",
    );
    expect(sentence("日".repeat(11_000))).toBe(
      "Frame of 33,000 bytes; 32,768 allowed (limits.messageBytes).",
    );
    expect(sentence("[".repeat(65))).toBe("Nested deeper than 64 levels.");
    expect(sentence(`[${"1,".repeat(100)}1]`)).toBe(
      "Batch of 101 messages; 100 allowed (limits.messagesPerFrame).",
    );
  });

  test("takes as many messages as the limit says, and refuses a longer batch as a whole", () => {
    expect(heard(batch(3), { messagesPerFrame: 3 })).toEqual({
      batch: Array(3).fill(call("m", [])),
    });
    expect(heard(batch(4), { messagesPerFrame: 3 })).toEqual([["too_large", null]]);
  });
});

describe("messages refused with invalid_request", () => {
  const long = "x".repeat(129);
  test.each<[string, object | null, string | number | null]>([
    ["null", null, null],
    ["an array within a batch", [[]], null],
    ["a message without jsonrpc, under its id", { id: 1, method: "m" }, 1],
    ["JSON-RPC 1.0", { jsonrpc: "1.0", id: "a", method: "m" }, "a"],
    ["jsonrpc as a number", { jsonrpc: 2, id: null, method: "m" }, null],
    ["a message which is neither call nor answer", { jsonrpc: "2.0", id: 5 }, 5],
    ["an empty method", { jsonrpc: "2.0", id: 1, method: "" }, 1],
    ["a method of 129 characters", { jsonrpc: "2.0", id: 1, method: long }, 1],
    ["a method which is no string", { jsonrpc: "2.0", id: 1, method: ["m"] }, 1],
    ["an id of 129 characters", { jsonrpc: "2.0", id: long, method: "m" }, null],
    ["an id which is an object", { jsonrpc: "2.0", id: {}, method: "m" }, null],
    ["an id beyond 2⁵³", { jsonrpc: "2.0", id: 2 ** 53, method: "m" }, null],
    ["params which are a string", { jsonrpc: "2.0", id: 1, method: "m", params: "x" }, 1],
    [
      "a notification with params which are a string",
      { jsonrpc: "2.0", method: "m", params: "x" },
      null,
    ],
    ["a notification of JSON-RPC 1.0", { method: "m", params: [] }, null],
    ["params which are null", { jsonrpc: "2.0", id: 1, method: "m", params: null }, 1],
    ["an empty idempotencyKey", { jsonrpc: "2.0", id: 1, method: "m", idempotencyKey: "" }, 1],
    [
      "a long idempotencyKey",
      { jsonrpc: "2.0", id: 1, method: "m", idempotencyKey: long.repeat(2) },
      1,
    ],
    ["an idempotencyKey of null", { jsonrpc: "2.0", id: 1, method: "m", idempotencyKey: null }, 1],
    [
      "$/item as a request",
      { jsonrpc: "2.0", id: 3, method: "$/item", params: { stream: "u", item: 1 } },
      3,
    ],
    ["an answer without an id", { jsonrpc: "2.0", result: 1 }, null],
    [
      "an answer with result and error, not under its id: that one is ours",
      { jsonrpc: "2.0", id: "s1", result: 1, error: { message: "x" } },
      null,
    ],
    ["an error without a message", { jsonrpc: "2.0", id: "s1", error: { code: 1 } }, null],
    ["an error which is a string", { jsonrpc: "2.0", id: "s1", error: "x" }, null],
  ])("%s", (_title, message, id) => {
    expect(heard(JSON.stringify([message]))).toEqual({ batch: [["invalid_request", id]] });
  });

  test("an id which JSON.parse makes infinite", () => {
    expect(heard('{"jsonrpc":"2.0","id":1e999,"method":"m"}')).toEqual([["invalid_request", null]]);
  });
});

describe("notifications", () => {
  test.each<[string, string, unknown]>([
    ["a method without a name", "", []],
    ["a method of 129 characters", "m".repeat(129), []],
    ["a key that would be a prototype", "m", { ["__proto__"]: 1 }],
    ["$/item without an item", "$/item", { stream: "u" }],
    ["$/item without a stream", "$/item", { item: 1 }],
    ["$/item by position", "$/item", ["u", 1]],
    ["$/end of a number", "$/end", { stream: 1 }],
    ["$/end with an error which is no string", "$/end", { stream: "u", error: {} }],
    ["$/cancelRequest of nothing", "$/cancelRequest", undefined],
    ["$/cancelRequest of an object", "$/cancelRequest", { id: {} }],
  ])("are refused without an answer: %s", (_title, method, params) => {
    const { messages } = jsonRpc.decode(JSON.stringify({ jsonrpc: "2.0", method, params }), LIMITS);
    expect(messages).toMatchObject([{ type: "malformed", error: { code: "invalid_request" } }]);
    expect(messages[0]).not.toHaveProperty("id");
  });
});

describe("texts of the client", () => {
  test("are cut to 1,000 characters where they are errors", () => {
    const message = "x".repeat(2000);
    const cut = "x".repeat(1000);
    const refusal = { jsonrpc: "2.0", id: "s1", error: { message } };
    const end = { jsonrpc: "2.0", method: "$/end", params: { stream: "u", error: message } };
    expect(heard(JSON.stringify([refusal, end]))).toEqual({
      batch: [
        { type: "refusal", id: "s1", message: cut },
        { type: "end", stream: "u", error: cut },
      ],
    });
  });
});

const item = (value: unknown) => ({ type: "item", stream: "s", item: value });
const invalid = (why: string) => new HubError("invalid_arguments", why);

describe("numbers that a JavaScript number cannot hold", () => {
  const DIGITS = "9007199254740993";
  const BEYOND = "A number is beyond those of 64-bit floating point.";
  const text = (members: string) => `{"jsonrpc":"2.0",${members}}`;

  test.each([
    [`"method":"m","params":[${DIGITS}]`, call("m", [BigInt(DIGITS)])],
    [`"method":"m","params":[1e300,0.5]`, call("m", [1e300, 0.5])],
    [`"method":"$/item","params":{"stream":"s","item":${DIGITS}}`, item(BigInt(DIGITS))],
    [`"id":"a","result":[${DIGITS}]`, { type: "answer", id: "a", result: [BigInt(DIGITS)] }],
  ])("%s is exact", (members, message) => {
    expect(heard(text(members))).toEqual([message]);
  });

  test("one beyond all doubles fails its message alone", () => {
    const messages = [
      '"id":1,"method":"m","params":[0,{"a":[1e400]}]',
      '"id":2,"method":"m","params":{"a":-1e400}',
      '"method":"$/item","params":{"stream":"s","item":[1e400]}',
      '"id":3,"result":{"a":1e400}',
      '"id":4,"method":"m","params":[1e300]',
    ];
    expect(heard(`[${messages.map(text).join(",")}]`)).toEqual({
      batch: [
        { ...call("m", [], 1), unreadable: invalid(`Argument 2 (a.0): ${BEYOND}`) },
        { ...call("m", [], 2), unreadable: invalid(`Argument 1 (a): ${BEYOND}`) },
        { type: "end", stream: "s", error: BEYOND },
        { type: "refusal", id: 3, message: BEYOND },
        call("m", [1e300], 4),
      ],
    });
  });

  test("an id is refused, and never another one", () => {
    expect(heard(text(`"id":${DIGITS},"method":"m"`))).toEqual([["invalid_request", null]]);
  });
});
