// What clients in other languages send, byte for byte, where it differs from the clients of JavaScript and .NET. Written
// from their sources, which the comments name; the table of docs/design/signalr-clients.md has the versions.

import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/model/options.ts";
import { readHandshake, type Handshake } from "../../src/protocols/handshake.ts";
import { signalrJson } from "../../src/protocols/signalr-json.ts";
import { signalrMsgpack } from "../../src/protocols/signalr-msgpack.ts";
import { buffer, hear, utf8 } from "./hub-stream.ts";

const RS = "\u001e";
const json = signalrJson({ verbatim: false });
const msgpack = signalrMsgpack({ verbatim: false });

/** A call of `Echo` with one argument. */
const call = (id: string | undefined, args: unknown[] = ["a"]) => ({
  ...{ type: "invocation", ...(id !== undefined && { id }), target: "Echo", args },
  ...{ streaming: false, anyCase: true },
});

/** Reads the next frame of a handshake, after the rest of those before. */
const readOn = (before: Handshake, frame: string | ArrayBuffer): Handshake =>
  before.type === "incomplete"
    ? readHandshake(frame, LIMITS, { binary: true, rest: before.rest })
    : before;

const CLOSE_OF_GO = `{"type":7,"error":"","allowReconnect":false}`;

describe("handshakes", () => {
  test.each<[client: string, frames: (string | ArrayBuffer)[], protocol: string]>([
    // moozzyk/SignalR-Client-Swift: HandshakeProtocol.swift, WebsocketsTransport.swift (frames are Data).
    ["SignalR-Client-Swift", [utf8(`{"protocol": "json", "version": 1}${RS}`)], "json"],
    // mandrewcito/signalrcore: messagepack_protocol.py (encode), websocket_transport.py (opcode 2).
    ["signalrcore", [utf8(`{"protocol": "messagepack", "version": 1}${RS}`)], "messagepack"],
    // mandrewcito/signalrcore: sse_transport.py posts it twice (on_open), the first time without a separator.
    [
      "signalrcore, events",
      [utf8(`{"protocol": "json", "version": 1}`), utf8(`{"protocol": "json", "version": 1}${RS}`)],
      "json",
    ],
    // BestHTTP: LongPollingTransport.cs (StartConnect).
    ["BestHTTP", [utf8(`{"protocol":"messagepack", "version": 1}${RS}`)], "messagepack"],
  ])("%s", (_, frames, protocol) => {
    const read = frames.reduce<Handshake>(readOn, { type: "incomplete", rest: new Uint8Array(0) });
    expect(read).toEqual({ type: "handshake", protocol, version: 1 });
  });
});

describe("JSON", () => {
  test.each<[client: string, frame: string | ArrayBuffer, heard: object]>([
    // dotnet/aspnetcore: GsonHubProtocol.java, OkHttpWebSocketWrapper.java (frames are ByteString).
    [
      "Java",
      utf8(`{"type":1,"invocationId":"1","target":"Echo","arguments":["a"],"streamIds":[]}${RS}`),
      call("1"),
    ],
    ["Java, a ping", utf8(`{"type":6}${RS}`), { type: "ping" }],
    // dotnet/signalr-client-swift: JsonHubProtocol.swift; JSONEncoder escapes slashes, in no order of members.
    [
      "Swift",
      `{"arguments":["a\\/b"],"invocationId":"0","type":1,"target":"Echo"}${RS}`,
      call("0", ["a/b"]),
    ],
    // aspnet/SignalR-Client-Cpp: hub_connection_impl.cpp, JsonCpp sorts members; an empty id is none.
    ["C++", `{"arguments":["a"],"invocationId":"","target":"Echo","type":1}${RS}`, call(undefined)],
    // baking-bad/pysignalr: messages.py (dump), json.py.
    [
      "pysignalr",
      `{"target": "Echo", "arguments": ["a"], "headers": null, "type": 1, "invocationId": "x"}${RS}`,
      call("x"),
    ],
    ["pysignalr, a ping", `{"type": 6}${RS}`, { type: "ping" }],
    [
      "pysignalr, an answer",
      `{"result": true, "error": null, "headers": null, "type": 3, "invocationId": "s1"}${RS}`,
      { type: "completed", id: "s1", result: true },
    ],
    [
      "pysignalr, an answer that failed",
      `{"result": null, "error": "no", "headers": null, "type": 3, "invocationId": "s1"}${RS}`,
      { type: "completed", id: "s1", error: "no" },
    ],
    // BestHTTP: JsonProtocol.cs (EncodeMessage).
    [
      "BestHTTP",
      utf8(
        `{"type":1,"invocationId":"1","nonblocking":false,"target":"Echo","arguments":["a"]}${RS}`,
      ),
      call("1"),
    ],
    // philippseith/signalr: hubprotocol.go (closeMessage).
    ["Go, its end", CLOSE_OF_GO + RS, { type: "close", error: "" }],
    // mandrewcito/signalrcore: close_message.py.
    ["signalrcore, its end", `{"type": 7, "headers": {}}${RS}`, { type: "close" }],
    // mandrewcito/signalrcore: JsonHubSseProtocol posts without a separator, so that two may be one record.
    [
      "signalrcore, two in one",
      `{"type": 1, "invocationId": "}\\"{", "target": "Echo", "arguments": ["a"]}{"type": 6}${RS}`,
      call('}"{'),
    ],
  ])("%s", (_, frame, heard) => {
    expect(hear(json, [frame])).toEqual({ messages: [heard], waiting: 0 });
  });

  test.each(["", "x", "}", '{"type":6', '"{"type":6}', "[]{}", '{"type":6,"a":"\\"}{'])(
    "what begins with no object is still an error: %s",
    (record) => {
      expect(hear(json, [record + RS]).messages).toEqual([
        ["malformed", expect.stringContaining("InvalidDataException")],
      ]);
    },
  );
});

describe("MessagePack", () => {
  const text = (value: string) => [0xa0 + value.length, ...new Uint8Array(utf8(value))];
  const frame = (...items: number[]) => buffer([items.length, ...items]);
  const ECHO = [...text("Echo"), 0x91, ...text("a")];

  test.each<[client: string, frame: ArrayBuffer, heard: object]>([
    // baking-bad/pysignalr: messagepack.py: headers are nil, and there are five items.
    ["pysignalr", frame(0x95, 1, 0xc0, ...text("x"), ...ECHO), call("x")],
    // mandrewcito/signalrcore: messagepack_protocol.py.
    ["signalrcore", frame(0x95, 1, 0x80, ...text("0"), ...ECHO), call("0")],
    // dotnet/aspnetcore: MessagePackHubProtocol.java writes all six items.
    ["Java", frame(0x96, 1, 0x80, 0xc0, ...ECHO, 0x90), call(undefined)],
    // philippseith/signalr: messagepackhubprotocol.go; EncodeInt8 writes the kind as int8.
    [
      "Go, the end of an upload",
      frame(0x94, 3, 0x80, ...text("u"), 0xd0, 2),
      { type: "completed", id: "u" },
    ],
    // BestHTTP: MessagePackProtocol.cs (EncodeMessage): a Close without an error is its type alone.
    ["BestHTTP, its end", frame(0x91, 7), { type: "close" }],
  ])("%s", (_, bytes, heard) => {
    expect(hear(msgpack, [bytes])).toEqual({ messages: [heard], waiting: 0 });
  });
});
