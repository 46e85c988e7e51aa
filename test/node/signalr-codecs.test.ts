// Our codecs against those of the stock client: what either writes, the other reads.

import { JsonHubProtocol, MessageType, NullLogger, type HubMessage } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLOSE, serverError } from "../../src/model/errors.ts";
import type { Encoded, Incoming, Outgoing } from "../../src/model/message.ts";
import { LIMITS } from "../../src/model/options.ts";
import { signalrJson } from "../../src/protocols/signalr-json.ts";
import { signalrMsgpack } from "../../src/protocols/signalr-msgpack.ts";
import { sizeOf } from "../support/seed.ts";
import { TEST_MS } from "../support/patience.ts";

const VALUES = sizeOf(2_000, 100_000);
const RUNS = { numRuns: VALUES, seed: 20261121 };
const TIME = { timeout: sizeOf(TEST_MS, 300_000) };
const LARGE = { ...LIMITS, messageBytes: 2 ** 30 };

/** No side takes an object with the key `__proto__`: that is refused, as test/protocols has it. */
const anyValue = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('"__proto__":'));

/** As `ws` hands them on. */
const frameOf = (record: Encoded): string | ArrayBuffer =>
  typeof record === "string" ? record : new Uint8Array(record).buffer;

const CODECS = [
  { name: "json", ours: signalrJson({ verbatim: true }), theirs: new JsonHubProtocol() },
  {
    name: "messagepack",
    ours: signalrMsgpack({ verbatim: true }),
    theirs: new MessagePackHubProtocol(),
  },
] as const;

type Codec = (typeof CODECS)[number];

/** What the stock client understands of our frame, without what it only adds. */
function theyRead({ theirs }: Codec, record: Encoded): object[] {
  const read = theirs.parseMessages(frameOf(record) as string & ArrayBuffer, NullLogger.instance);
  return read.map((message) => bare(message as unknown as Record<string, unknown>));
}

const bare = ({
  headers: _headers,
  streamIds: _streamIds,
  ...message
}: Record<string, unknown>): object =>
  Object.fromEntries(
    Object.entries(message).filter(([, value]) => value !== undefined && value !== null),
  );

const weRead = (
  { ours }: Codec,
  message: HubMessage,
  theirs: Codec["theirs"],
): readonly Incoming[] => ours.decode(theirs.writeMessage(message as never), LARGE).messages;

const FORBIDDEN = serverError("forbidden", "No.");

describe.each(CODECS)("$name: the stock client reads", (codec) => {
  it.each<[string, Outgoing, object[]]>([
    [
      "what is said to it",
      { type: "invocation", target: "moved", params: '["日本",{"x":1.5}]' },
      [{ type: MessageType.Invocation, target: "moved", arguments: ["日本", { x: 1.5 }] }],
    ],
    [
      "what it is asked",
      { type: "invocation", id: "s1", target: "ask", params: "[]" },
      [{ type: MessageType.Invocation, invocationId: "s1", target: "ask", arguments: [] }],
    ],
    [
      "items",
      { type: "item", id: "1", item: [1] },
      [{ type: MessageType.StreamItem, invocationId: "1", item: [1] }],
    ],
    [
      "results",
      { type: "completion", id: "1", result: 5 },
      [{ type: MessageType.Completion, invocationId: "1", result: 5 }],
    ],
    [
      "no results",
      { type: "completion", id: "1", result: null },
      [{ type: MessageType.Completion, invocationId: "1" }],
    ],
    [
      "ends",
      { type: "completion", id: "1", result: undefined },
      [{ type: MessageType.Completion, invocationId: "1" }],
    ],
    [
      "errors",
      { type: "failure", id: "1", error: FORBIDDEN, target: "X", stage: "authorising" },
      [
        {
          type: MessageType.Completion,
          invocationId: "1",
          error: "Failed to invoke 'X' because user is unauthorized",
        },
      ],
    ],
    ["acks", { type: "ack", sequence: 300 }, [{ type: MessageType.Ack, sequenceId: 300 }]],
    [
      "sequences",
      { type: "sequence", sequence: 1 },
      [{ type: MessageType.Sequence, sequenceId: 1 }],
    ],
    [
      "several at once",
      {
        type: "batch",
        answers: [
          { type: "ack", sequence: 1 },
          { type: "ack", sequence: 2 },
        ],
      },
      [
        { type: MessageType.Ack, sequenceId: 1 },
        { type: MessageType.Ack, sequenceId: 2 },
      ],
    ],
  ])("%s", (_what, said, read) => {
    expect(theyRead(codec, codec.ours.encode(said))).toEqual(read);
  });

  it("how the connection ends", () => {
    const silent = codec.ours.farewell?.(CLOSE.silent) ?? "";
    const error = "Connection closed with an error.";
    expect(theyRead(codec, silent)).toEqual([
      { type: MessageType.Close, error, allowReconnect: true },
    ]);
    // Written in MessagePack only (docs/design/signalr-clients.md#oc7).
    const allowReconnect = codec.ours.binding === "msgpack" ? false : undefined;
    expect(theyRead(codec, codec.ours.farewell?.(CLOSE.aborted) ?? "")).toEqual([
      { type: MessageType.Close, allowReconnect },
    ]);
  });

  it(`[R12] ${VALUES} results as the method returned them`, TIME, () => {
    const values = fc.property(anyValue, (result) => {
      const [message] = theyRead(
        codec,
        codec.ours.encode({ type: "completion", id: "1", result }),
      ) as { result?: unknown }[];
      expect(message?.result ?? null).toEqual(JSON.parse(JSON.stringify(result)));
    });
    expect(fc.check(values, RUNS).counterexample).toBeNull();
  });
});

const call = { target: "send", arguments: ["日本", { x: 1.5 }] };
const heard = {
  type: "invocation",
  target: "send",
  args: ["日本", { x: 1.5 }],
  anyCase: true,
} as const;

describe.each(CODECS)("$name: we read of the stock client", (codec) => {
  it.each<[string, HubMessage, Incoming]>([
    [
      "sends",
      { type: MessageType.Invocation, ...call, streamIds: [] },
      { ...heard, streaming: false },
    ],
    [
      "calls",
      { type: MessageType.Invocation, invocationId: "0", ...call, headers: { a: "b" } },
      { ...heard, id: "0", streaming: false },
    ],
    [
      "uploads",
      { type: MessageType.Invocation, invocationId: "1", ...call, streamIds: ["2"] },
      { ...heard, id: "1", streaming: false, streamIds: ["2"] },
    ],
    [
      "streams",
      { type: MessageType.StreamInvocation, invocationId: "1", ...call },
      { ...heard, id: "1", streaming: true },
    ],
    [
      "items",
      { type: MessageType.StreamItem, invocationId: "2", item: [1] },
      { type: "item", stream: "2", item: [1] },
    ],
    ["ends", { type: MessageType.Completion, invocationId: "2" }, { type: "completed", id: "2" }],
    [
      "answers",
      { type: MessageType.Completion, invocationId: "s1", result: { a: 1 } },
      { type: "completed", id: "s1", result: { a: 1 } },
    ],
    [
      "refusals",
      { type: MessageType.Completion, invocationId: "s1", error: "Error: no" },
      { type: "completed", id: "s1", error: "Error: no" },
    ],
    [
      "cancels",
      { type: MessageType.CancelInvocation, invocationId: "1" },
      { type: "cancel", id: "1" },
    ],
    ["pings", { type: MessageType.Ping }, { type: "ping" }],
    ["goodbyes", { type: MessageType.Close }, { type: "close" }],
    ["acks", { type: MessageType.Ack, sequenceId: 300 }, { type: "ack", sequence: 300 }],
    ["sequences", { type: MessageType.Sequence, sequenceId: 1 }, { type: "sequence", sequence: 1 }],
  ])("%s", (_what, message, incoming) => {
    expect(weRead(codec, message, codec.theirs)).toEqual([incoming]);
  });

  it(`[R12] ${VALUES} calls as they were made`, TIME, () => {
    const calls = fc.property(
      fc.string({ unit: "binary", minLength: 1, maxLength: 128 }),
      fc.array(anyValue, { maxLength: 3 }),
      (target, args) => {
        const message = {
          type: MessageType.Invocation,
          invocationId: "1",
          target,
          arguments: args,
        } as const;
        const said = JSON.parse(JSON.stringify(args)) as unknown[];
        expect(weRead(codec, message, codec.theirs)).toEqual([
          { type: "invocation", id: "1", target, args: said, streaming: false, anyCase: true },
        ]);
      },
    );
    expect(fc.check(calls, RUNS).counterexample).toBeNull();
  });
});

describe("messagepack: bytes and times", () => {
  const [, codec] = CODECS;

  it("are a Uint8Array and a Date for the hub", () => {
    const message = {
      type: MessageType.StreamItem,
      invocationId: "1",
      item: [new Uint8Array([1]), new Date(0)],
    } as const;
    expect(weRead(codec, message, codec.theirs)).toEqual([
      { type: "item", stream: "1", item: [new Uint8Array([1]), new Date(0)] },
    ]);
  });

  it("are a Uint8Array and a Date for the client", () => {
    const item = { bytes: new Uint8Array([1]), at: new Date(0) };
    expect(theyRead(codec, codec.ours.encode({ type: "item", id: "1", item }))).toEqual([
      {
        type: MessageType.StreamItem,
        invocationId: "1",
        item: { bytes: new Uint8Array([1]), at: new Date(0) },
      },
    ]);
  });
});
