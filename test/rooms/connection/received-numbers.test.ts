// Which messages of a client have a number in stateful reconnect (docs/design/signalr-reconnect.md#sr2), in both of
// SignalR's protocols: one that is not counted here, and is by its client, makes later ones run twice.

import { encode, ExtData } from "@msgpack/msgpack";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../src/model/options.ts";
import type { Frame } from "../../../src/protocols/protocol.ts";
import { signalrJson } from "../../../src/protocols/signalr-json.ts";
import { signalrMsgpack } from "../../../src/protocols/signalr-msgpack.ts";
import { ReplayBuffer } from "../../../src/rooms/connection/replay-buffer.ts";

const ROWS = { saveAttachment() {}, saveReceived() {}, addFrame() {}, removeFrames() {} };
const EMPTY = { receivedCount: 0, confirmedUpTo: 0, unconfirmed: [] };
const [json, msgpack] = [signalrJson({ verbatim: false }), signalrMsgpack({ verbatim: false })];

/** Of an application: no argument, item or result can hold it. */
const EXTENSION = new ExtData(5, new Uint8Array(1));
const PROTOTYPE = { ["__proto__"]: 1 };

const framed = (message: readonly unknown[]): ArrayBuffer => {
  const payload = encode(message);
  return new Uint8Array([payload.length, ...payload]).buffer;
};

function countOf(protocol: typeof json | typeof msgpack, frame: Exclude<Frame, Uint8Array>) {
  const buffer = new ReplayBuffer(ROWS, { window: 1_000, maxKept: 1_000 }, EMPTY);
  const { messages } = protocol.decode(frame, LIMITS);
  expect(messages.filter(({ type }) => type === "broken")).toEqual([]);
  for (const message of messages) buffer.accepts(message);
  return buffer.receivedCount;
}

type Row = [what: string, json: string, msgpack: readonly unknown[]];

const COUNTED: Row[] = [
  ["a call", '{"type":1,"target":"m","arguments":[]}', [1, {}, null, "m", []]],
  [
    "a call whose arguments cannot be read",
    '{"type":1,"target":"m","arguments":[1e400]}',
    [1, {}, null, "m", [EXTENSION]],
  ],
  [
    "a call with a key __proto__",
    '{"type":1,"target":"m","arguments":[{"__proto__":1}]}',
    [1, {}, null, "m", [PROTOTYPE]],
  ],
  ["an item", '{"type":2,"invocationId":"u","item":1}', [2, {}, "u", 1]],
  [
    "an item that cannot be read",
    '{"type":2,"invocationId":"u","item":1e400}',
    [2, {}, "u", EXTENSION],
  ],
  [
    "an item with a key __proto__",
    '{"type":2,"invocationId":"u","item":{"__proto__":1}}',
    [2, {}, "u", PROTOTYPE],
  ],
  ["the end of a stream", '{"type":3,"invocationId":"u"}', [3, {}, "u", 2]],
  ["its end with an error", '{"type":3,"invocationId":"u","error":"e"}', [3, {}, "u", 1, "e"]],
  ["an answer", '{"type":3,"invocationId":"u","result":1}', [3, {}, "u", 3, 1]],
  [
    "an answer that cannot be read",
    '{"type":3,"invocationId":"u","result":1e400}',
    [3, {}, "u", 3, EXTENSION],
  ],
  ["a stream", '{"type":4,"invocationId":"s","target":"m","arguments":[]}', [4, {}, "s", "m", []]],
  [
    "a stream whose arguments cannot be read",
    '{"type":4,"invocationId":"s","target":"m","arguments":[1e400]}',
    [4, {}, "s", "m", [EXTENSION]],
  ],
  ["a cancellation", '{"type":5,"invocationId":"s"}', [5, {}, "s"]],
];

const UNCOUNTED: Row[] = [
  ["a ping", '{"type":6}', [6]],
  ["a close", '{"type":7}', [7]],
  ["an acknowledgement", '{"type":8,"sequenceId":1}', [8, 1]],
  ["a sequence", '{"type":9,"sequenceId":1}', [9, 1]],
  ["a type of a later version", '{"type":10}', [10]],
];

describe("a message of the client", () => {
  it.each(COUNTED)("has a number: %s", (_what, text, values) => {
    expect([countOf(json, `${text}\u001e`), countOf(msgpack, framed(values))]).toEqual([1, 1]);
  });

  it.each(UNCOUNTED)("has none: %s", (_what, text, values) => {
    expect([countOf(json, `${text}\u001e`), countOf(msgpack, framed(values))]).toEqual([0, 0]);
  });
});
