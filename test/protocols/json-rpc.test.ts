// Our JSON-RPC on the wire: one table of text ⇄ message, which serves as its documentation; the error numbers; joining.

import { describe, expect, test } from "vitest";
import { HubError } from "../../src/model/errors.ts";
import { StreamRef, type Incoming, type Outgoing } from "../../src/model/message.ts";
import { LIMITS } from "../../src/model/options.ts";
import { jsonRpc } from "../../src/protocols/json-rpc-codec.ts";

/** `heard` rows are decoded from the text, `said` rows are encoded to it. Many rows are both. */
interface Row {
  readonly title: string;
  readonly wire: string;
  readonly heard?: Incoming;
  readonly said?: Outgoing;
}

const ROWS: readonly Row[] = [
  {
    title: "a call without an id is waited for by nobody",
    wire: '{"jsonrpc":"2.0","method":"send","params":["lobby","hi"]}',
    heard: { type: "invocation", target: "send", args: ["lobby", "hi"] },
    said: { type: "invocation", target: "send", params: '["lobby","hi"]' },
  },
  {
    title: "a call with an id is answered under it",
    wire: '{"jsonrpc":"2.0","method":"confirm","params":["sure?"],"id":"s1"}',
    heard: { type: "invocation", id: "s1", target: "confirm", args: ["sure?"] },
    said: { type: "invocation", id: "s1", target: "confirm", params: '["sure?"]' },
  },
  {
    title:
      "a room and a position stand beside what was said there; clients ignore them or resume by them",
    wire: '{"jsonrpc":"2.0","method":"message","params":["hi"],"room":"group:lobby","position":"k3:17"}',
    heard: { type: "invocation", target: "message", args: ["hi"] },
    said: {
      type: "invocation",
      target: "message",
      params: '["hi"]',
      room: "group:lobby",
      position: "k3:17",
    },
  },
  {
    title: "a record that was encoded before goes out as it is",
    wire: '{"jsonrpc":"2.0","id":8,"result":[1]}',
    said: { type: "record", record: '{"jsonrpc":"2.0","id":8,"result":[1]}' },
  },
  {
    title: "an id may be a number",
    wire: '{"jsonrpc":"2.0","id":7,"method":"now"}',
    heard: { type: "invocation", id: 7, target: "now", args: [] },
  },
  {
    title: "an id may be null, which is not the same as none",
    wire: '{"jsonrpc":"2.0","id":null,"method":"now"}',
    heard: { type: "invocation", id: null, target: "now", args: [] },
  },
  {
    title: "absent params are no arguments",
    wire: '{"jsonrpc":"2.0","method":"now"}',
    heard: { type: "invocation", target: "now", args: [] },
  },
  {
    title: "an object as params is one argument, or has arguments by name",
    wire: '{"jsonrpc":"2.0","method":"move","params":{"x":1,"y":2}}',
    heard: { type: "invocation", target: "move", args: [{ x: 1, y: 2 }], byName: true },
  },
  {
    title: "an idempotencyKey makes a repeated call say nothing twice",
    wire: '{"jsonrpc":"2.0","method":"send","params":["hi"],"idempotencyKey":"k1"}',
    heard: { type: "invocation", target: "send", args: ["hi"], idempotencyKey: "k1" },
  },
  {
    title: "an argument {$stream} stands for the items that will follow",
    wire: '{"jsonrpc":"2.0","id":1,"method":"upload","params":["a.txt",{"$stream":"u1"}]}',
    heard: { type: "invocation", id: 1, target: "upload", args: ["a.txt", new StreamRef("u1")] },
  },
  {
    title: "a stream may be the only argument",
    wire: '{"jsonrpc":"2.0","method":"upload","params":{"$stream":"u1"}}',
    heard: { type: "invocation", target: "upload", args: [new StreamRef("u1")], byName: true },
  },
  {
    title: "$stream beside other keys, deeper, or no name is ordinary data",
    wire: '{"jsonrpc":"2.0","method":"m","params":[{"$stream":"u","a":1},[{"$stream":"u"}],{"$stream":""}]}',
    heard: {
      type: "invocation",
      target: "m",
      args: [{ $stream: "u", a: 1 }, [{ $stream: "u" }], { $stream: "" }],
    },
  },
  {
    title: "words of the dispatcher are calls",
    wire: '{"jsonrpc":"2.0","id":2,"method":"$/history","params":{"since":"k3:17"}}',
    heard: {
      ...{ type: "invocation", id: 2, target: "$/history" },
      ...{ args: [{ since: "k3:17" }], byName: true },
    },
  },
  {
    title: "$/item brings an item of the client's stream",
    wire: '{"jsonrpc":"2.0","method":"$/item","params":{"stream":"u1","item":null}}',
    heard: { type: "item", stream: "u1", item: null },
  },
  {
    title: "$/end ends it",
    wire: '{"jsonrpc":"2.0","method":"$/end","params":{"stream":"u1"}}',
    heard: { type: "end", stream: "u1" },
  },
  {
    title: "$/end with an error breaks it off",
    wire: '{"jsonrpc":"2.0","method":"$/end","params":{"stream":"u1","error":"disk"}}',
    heard: { type: "end", stream: "u1", error: "disk" },
  },
  {
    title: "$/cancelRequest gives up a call or a stream of ours",
    wire: '{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":7}}',
    heard: { type: "cancel", id: 7 },
  },
  {
    title: "a result answers",
    wire: '{"jsonrpc":"2.0","id":"s1","result":{"ok":true}}',
    heard: { type: "answer", id: "s1", result: { ok: true } },
    said: { type: "completion", id: "s1", result: { ok: true } },
  },
  {
    title: "the result of a method that returns nothing is null",
    wire: '{"jsonrpc":"2.0","id":7,"result":null}',
    heard: { type: "answer", id: 7, result: null },
    said: { type: "completion", id: 7, result: undefined },
  },
  {
    title: "an error answers too, with a number for machines of JSON-RPC and a code for ours",
    wire: '{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"No.","data":{"code":"forbidden"}}}',
    heard: { type: "refusal", id: 7, message: "No." },
    said: { type: "failure", id: 7, error: new HubError("forbidden", "No.") },
  },
  {
    title: "an item of our stream carries the id of the call that asked for it",
    wire: '{"jsonrpc":"2.0","method":"$/item","params":{"id":7,"item":{"price":1.5}}}',
    said: { type: "item", id: 7, item: { price: 1.5 } },
  },
  {
    title: "the answers to a batch are a batch",
    wire: '[{"jsonrpc":"2.0","id":1,"result":2},{"jsonrpc":"2.0","id":null,"result":3}]',
    said: {
      type: "batch",
      answers: [
        { type: "completion", id: 1, result: 2 },
        { type: "completion", id: null, result: 3 },
      ],
    },
  },
  {
    title: "a batch without answers says nothing",
    wire: "",
    said: { type: "batch", answers: [] },
  },
  {
    title: "$/connected greets",
    wire: '{"jsonrpc":"2.0","method":"$/connected","params":{"connectionId":"c1"},"room":"order:42","position":"k3:0"}',
    said: {
      type: "control",
      name: "connected",
      params: { connectionId: "c1" },
      room: "order:42",
      position: "k3:0",
    },
  },
  {
    title: "$/presence tells who came and went",
    wire: '{"jsonrpc":"2.0","method":"$/presence","params":{"joined":["alice"]},"room":"order:42"}',
    said: { type: "control", name: "presence", params: { joined: ["alice"] }, room: "order:42" },
  },
  {
    title: "$/end ends our stream",
    wire: '{"jsonrpc":"2.0","method":"$/end","params":{"id":7}}',
    said: { type: "control", name: "end", params: { id: 7 } },
  },
];

describe("text ⇄ message", () => {
  test.each(ROWS)("$title", ({ wire, heard, said }) => {
    const decoded = heard && jsonRpc.decode(wire, LIMITS);
    expect(decoded).toEqual(heard && { messages: [heard], batch: false });
    expect(said && jsonRpc.encode(said)).toBe(said && wire);
  });
});

describe("encoding", () => {
  test("copies the text of params without reading it", () => {
    const params = '[ 1.0, "\\u0041" ]';
    const record = jsonRpc.encode({ type: "invocation", target: "m", params });
    expect(record).toBe('{"jsonrpc":"2.0","method":"m","params":[ 1.0, "\\u0041" ]}');
  });

  test("escapes every name it is given", () => {
    const name = '"\\\n\u2028\ud800';
    const place = { room: name, position: name };
    const record = jsonRpc.encode({ type: "invocation", target: name, params: "[]", ...place });
    expect(JSON.parse(record)).toEqual({ jsonrpc: "2.0", method: name, params: [], ...place });
  });

  test("throws for a result that JSON cannot carry", () => {
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => jsonRpc.encode({ type: "completion", id: 1, result: loop })).toThrow(
      /circular structure/,
    );
    const result = 2n ** 64n;
    expect(() => jsonRpc.encode({ type: "completion", id: 1, result })).toThrow("64 bits");
  });

  test("writes a bigint with all its digits", () => {
    const text = jsonRpc.encode({ type: "completion", id: 1, result: [2n ** 53n + 1n] });
    expect(text).toContain('"result":[9007199254740993]');
  });
});

describe("error numbers", () => {
  const NUMBERS = {
    malformed: -32700,
    invalid_request: -32600,
    duplicate_id: -32600,
    method_not_found: -32601,
    wrong_kind: -32601,
    invalid_arguments: -32602,
    invalid_name: -32602,
    invalid_position: -32602,
    internal: -32603,
    cancelled: -32800,
    forbidden: -32001,
    unauthorized: -32001,
    rate_limited: -32005,
    too_large: -32006,
    too_deep: -32006,
    timed_out: -32000,
    out_of_stock: -32000,
    constructor: -32000,
  };

  for (const [code, number] of Object.entries(NUMBERS))
    test(`${code} is ${number}, and data.code says which`, () => {
      const error = new HubError<string>(code, "A sentence.");
      const record = JSON.parse(jsonRpc.encode({ type: "failure", id: 1, error })) as object;
      expect(record).toEqual({
        jsonrpc: "2.0",
        id: 1,
        error: { code: number, message: "A sentence.", data: { code } },
      });
    });
});

describe("joining", () => {
  test.each([
    ["no record is no frame", [], ""],
    ["one record is its own frame", ['{"a":1}'], '{"a":1}'],
    ["one batch stays a batch", ['[{"a":1}]'], '[{"a":1}]'],
    ["several records are one batch", ['{"a":1}', '{"b":2}'], '[{"a":1},{"b":2}]'],
    [
      "batches among them are spliced in",
      ['[{"a":1},{"b":2}]', '{"c":3}'],
      '[{"a":1},{"b":2},{"c":3}]',
    ],
    [
      "records that say nothing leave no gap",
      ["", '{"a":1}', "", '[{"b":2}]'],
      '[{"a":1},{"b":2}]',
    ],
    ["one record among silent ones is its own frame", ["", '{"a":1}'], '{"a":1}'],
  ])("%s", (_title, records, frame) => {
    expect(jsonRpc.join(records)).toBe(frame);
  });
});
