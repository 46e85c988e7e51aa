// SignalR's JSON, readable as its documentation. The table is the wire: `heard` rows are decoded from clients, `said`
// rows are encoded by the server.

import { describe, expect, test } from "vitest";
import { CLOSE, serverError } from "../../src/model/errors.ts";
import type { Incoming, Outgoing } from "../../src/model/message.ts";
import { PING } from "../../src/model/wire-constants.ts";
import { LIMITS } from "../../src/model/options.ts";
import { signalrJson } from "../../src/protocols/signalr-json.ts";
import { hear, utf8 } from "./hub-stream.ts";

const RS = "\u001e";
const json = signalrJson({ verbatim: false });

interface Row {
  readonly title: string;
  /** The record without its separator. */
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
    title: "1: a call without an id wants no answer",
    wire: '{"type":1,"target":"send","arguments":["hi"]}',
    heard: call,
  },
  {
    title: "1: members stand in any order, and unknown ones are ignored",
    wire: '{"arguments":["hi"],"new":1,"headers":{"a":"b"},"invocationId":"0","target":"send","type":1}',
    heard: { ...call, id: "0" },
  },
  {
    title: "1: an empty id is none",
    wire: '{"type":1,"invocationId":"","target":"send","arguments":["hi"],"streamIds":[]}',
    heard: call,
  },
  {
    title: "1: null is as good as absent",
    wire: '{"type":1,"invocationId":null,"target":"send","arguments":["hi"],"streamIds":null,"headers":null}',
    heard: call,
  },
  {
    title: "1: streams of the client are named beside the arguments",
    wire: '{"type":1,"invocationId":"1","target":"send","arguments":["hi"],"streamIds":["2","3"]}',
    heard: { ...call, id: "1", streamIds: ["2", "3"] },
  },
  {
    title: "1: what we say begins with an upper-case letter, and has no id where nobody answers",
    wire: '{"type":1,"target":"ReceiveNotification","arguments":[ 1.0]}',
    said: {
      type: "invocation",
      target: "receiveNotification",
      params: "[ 1.0]",
      room: "r",
      position: "k:1",
    },
  },
  {
    title: "1: what we ask has an id",
    wire: '{"type":1,"invocationId":"s1","target":"Ask","arguments":[]}',
    said: { type: "invocation", id: "s1", target: "ask", params: "[]" },
  },
  {
    title: "2: an item of a stream, in either direction",
    wire: '{"type":2,"invocationId":"7","item":{"price":1.5}}',
    heard: { type: "item", stream: "7", item: { price: 1.5 } },
    said: { type: "item", id: "7", item: { price: 1.5 } },
  },
  {
    title: "2: an item may be null",
    wire: '{"type":2,"invocationId":"7","item":null}',
    heard: { type: "item", stream: "7", item: null },
    said: { type: "item", id: 7, item: undefined },
  },
  {
    title: "3: a result",
    wire: '{"type":3,"invocationId":"7","result":[1]}',
    heard: { type: "completed", id: "7", result: [1] },
    said: { type: "completion", id: "7", result: [1] },
  },
  {
    title: "3: the result of a method that returns nothing is null",
    wire: '{"type":3,"invocationId":"7","result":null}',
    heard: { type: "completed", id: "7", result: null },
    said: { type: "completion", id: "7", result: null },
  },
  {
    title: "3: the end of a stream has no result",
    wire: '{"type":3,"invocationId":"7"}',
    heard: { type: "completed", id: "7" },
    said: { type: "completion", id: "7", result: undefined },
  },
  {
    title: "3: an error, from the client",
    wire: '{"type":3,"invocationId":"s1","error":"Client didn\'t provide a result."}',
    heard: { type: "completed", id: "s1", error: "Client didn't provide a result." },
  },
  {
    title: "3: an error, from us",
    wire: '{"type":3,"invocationId":"7","error":"Failed to invoke \'Send\' because user is unauthorized"}',
    said: {
      type: "failure",
      id: "7",
      error: serverError("forbidden", "No."),
      target: "Send",
      stage: "authorising",
    },
  },
  {
    title: "4: a stream is asked for",
    wire: '{"type":4,"invocationId":"7","target":"send","arguments":["hi"]}',
    heard: { ...call, id: "7", streaming: true },
  },
  {
    title: "5: a stream is given up",
    wire: '{"type":5,"invocationId":"7"}',
    heard: { type: "cancel", id: "7" },
  },
  { title: "6: a ping", wire: '{"type":6}', heard: { type: "ping" } },
  { title: "7: the client ends the connection", wire: '{"type":7}', heard: { type: "close" } },
  {
    title: "7: and says why; whether it may come back is the server's to say",
    wire: '{"type":7,"error":"bye","allowReconnect":true}',
    heard: { type: "close", error: "bye" },
  },
  {
    title: "8: all up to a message arrived",
    wire: '{"type":8,"sequenceId":9}',
    heard: { type: "ack", sequence: 9 },
    said: { type: "ack", sequence: 9 },
  },
  {
    title: "9: the number of the next message",
    wire: '{"type":9,"sequenceId":1}',
    heard: { type: "sequence", sequence: 1 },
    said: { type: "sequence", sequence: 1 },
  },
];

describe("text ⇄ message", () => {
  test.each(ROWS)("$title", ({ wire, heard, said }) => {
    const decoded = heard && json.decode(wire + RS, LIMITS);
    expect(decoded).toEqual(heard && { messages: [heard], batch: false });
    expect(said && json.encode(said)).toBe(said && wire + RS);
  });

  test("the ping of options is one", () => {
    expect(hear(json, [PING, utf8(PING), PING + PING]).messages).toEqual(
      Array.from({ length: 4 }, () => ({ type: "ping" })),
    );
  });

  test("types of later versions are ignored", () => {
    expect(hear(json, [`{"type":10}${RS}{"type":0,"target":1}${RS}${PING}`]).messages).toEqual([
      { type: "ping" },
    ]);
  });
});

describe("saying", () => {
  test("verbatim targets are written as the hub names them", () => {
    const record = signalrJson({ verbatim: true }).encode({
      type: "invocation",
      target: "moved",
      params: "[]",
    });
    expect(record).toBe(`{"type":1,"target":"moved","arguments":[]}${RS}`);
  });

  test("names are kept in attachments, so they never change", () => {
    expect([json.name, signalrJson({ verbatim: true }).name]).toEqual([
      "signalr-json",
      "signalr-json-verbatim",
    ]);
  });

  test("records, batches and joined frames are messages one after another", () => {
    const pong = { type: "record", record: PING } as const;
    expect(json.encode(pong)).toBe(PING);
    expect(json.encode({ type: "batch", answers: [pong, pong] })).toBe(PING + PING);
    expect(json.join([PING, "", PING])).toBe(PING + PING);
    expect(json.join([])).toBe("");
  });

  test("our own words have no counterpart", () => {
    expect(json.encode({ type: "control", name: "connected", params: {} })).toBe("");
  });

  test.each<[keyof typeof CLOSE, string | undefined, object]>([
    ["normal", undefined, { type: 7 }],
    ["aborted", "E: x", { type: 7 }],
    ["expired", undefined, { type: 7, allowReconnect: true }],
    ["gone", undefined, { type: 7, error: "Connection closed with an error." }],
    ["failed", undefined, { type: 7, error: "Connection closed with an error." }],
    ["failed", "E: x", { type: 7, error: "Connection closed with an error. E: x" }],
    [
      "silent",
      undefined,
      { type: 7, error: "Connection closed with an error.", allowReconnect: true },
    ],
    [
      "malformed",
      "E: x",
      { type: 7, error: "Connection closed with an error. E: x", allowReconnect: true },
    ],
  ])("the last word of a connection that is %s (%s)", (why, detail, said) => {
    expect(json.farewell?.(CLOSE[why], detail)).toBe(JSON.stringify(said) + RS);
  });
});

describe("what breaks a connection, in .NET's words", () => {
  test.each<[string, string]>([
    ["", "Error reading JSON."],
    ['{"type":1', "Error reading JSON."],
    ["[]", "Unexpected JSON Token Type 'Array'. Expected a JSON Object."],
    ["null", "Unexpected JSON Token Type 'Null'. Expected a JSON Object."],
    ["42", "Unexpected JSON Token Type 'Number'. Expected a JSON Object."],
    ["{}", "Missing required property 'type'."],
    ['{"type":"1"}', "Expected 'type' to be of type Number."],
    ['{"type":6,"headers":[]}', "Expected 'headers' to be of type Object."],
    ['{"type":1,"arguments":[]}', "Missing required property 'target'."],
    ['{"type":1,"target":42,"arguments":[]}', "Expected 'target' to be of type String."],
    ['{"type":1,"target":"m"}', "Missing required property 'arguments'."],
    ['{"type":1,"target":"m","arguments":{}}', "Expected 'arguments' to be of type Array."],
    [
      '{"type":1,"invocationId":42,"target":"m","arguments":[]}',
      "Expected 'invocationId' to be of type String.",
    ],
    [
      '{"type":1,"target":"m","arguments":[],"streamIds":"1"}',
      "Expected 'streamIds' to be of type Array.",
    ],
    [
      '{"type":1,"target":"m","arguments":[],"streamIds":[1]}',
      "Expected 'streamIds' to be of type String.",
    ],
    ['{"type":2}', "Missing required property 'invocationId'."],
    ['{"type":2,"invocationId":"42"}', "Missing required property 'item'."],
    ['{"type":3,"invocationId":"42","error":[]}', "Expected 'error' to be of type String."],
    [
      '{"type":3,"invocationId":"42","error":"e","result":1}',
      "The 'error' and 'result' properties are mutually exclusive.",
    ],
    ['{"type":4,"target":"m","arguments":[]}', "Missing required property 'invocationId'."],
    ['{"type":8}', "Missing required property 'sequenceId'."],
    ['{"type":9,"sequenceId":-1}', "Expected 'sequenceId' to be of type Number."],
    ['{"type":9,"sequenceId":1e300}', "Expected 'sequenceId' to be of type Number."],
  ])("%s", (wire, sentence) => {
    const { messages } = hear(json, [PING + wire + RS + PING]);
    expect(messages).toEqual([
      { type: "ping" },
      ["malformed", `InvalidDataException: ${sentence}`],
    ]);
  });

  test("names of any length, empty targets too, are left to the hub", () => {
    const long = "x".repeat(200);
    const calls = [
      { type: 1, target: "", arguments: [] },
      { type: 1, invocationId: long, target: long, arguments: [], streamIds: [long] },
    ];
    const wire = [...calls, { type: 5, invocationId: long }].map((m) => JSON.stringify(m) + RS);
    const heard = { ...call, args: [] };
    expect(hear(json, wire).messages).toEqual([
      { ...heard, target: "" },
      { ...heard, id: long, target: long, streamIds: [long] },
      { type: "cancel", id: long },
    ]);
  });

  test("nesting beyond the limit", () => {
    const wire = `{"type":1,"target":"m","arguments":${"[".repeat(64)}${"]".repeat(64)}}${RS}`;
    const detail = "InvalidDataException: Nested deeper than 64 levels.";
    expect(hear(json, [wire]).messages).toEqual([["too_deep", detail]]);
    expect(hear(json, [wire], { depth: 65 }).messages).toHaveLength(1);
  });

  test("long texts of a client's errors are cut", () => {
    const { messages } = hear(json, [`{"type":7,"error":"${"e".repeat(2000)}"}${RS}`]);
    expect(messages).toEqual([{ type: "close", error: "e".repeat(1000) }]);
  });
});
