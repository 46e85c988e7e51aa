// Our gRPC service in Connect's protocol: Subscribe in protobuf over a stream of envelopes, Invoke in JSON.

import { create, toBinary } from "@bufbuild/protobuf";
import { SubscribeRequestSchema } from "../src/protocols/proto/dormouse/v1/hub_pb.ts";
import { payloadOf, seqOf, type Dialect } from "./dialect.ts";
import { unchunk, httpPosts, WholeReader } from "./over-http.ts";
import type { Target, Transport } from "./transport.ts";

/** An envelope's head: a byte of flags, and the length of the message. */
const HEAD_BYTES = 5;
const END_FLAG = 2;
/** An envelope of a message without content. */
const HEARTBEAT_BYTES = HEAD_BYTES + 2;

/** The request with its body. Hub and topic are passed in the path's query, which the server ignores. */
function opening({ host, path }: Target): string {
  const query = new URLSearchParams(path.split("?")[1]);
  const [hub, topic] = [query.get("hub")!, query.get("topic")!];
  const message = toBinary(
    SubscribeRequestSchema,
    create(SubscribeRequestSchema, { hub, topics: [{ topic }] }),
  );
  const envelope = Buffer.alloc(HEAD_BYTES + message.length);
  envelope.writeUInt32BE(message.length, 1);
  envelope.set(message, HEAD_BYTES);
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${host}`,
    "Content-Type: application/connect+proto",
    `Content-Length: ${envelope.length}`,
  ];
  // All bytes are below 128, so the text survives any encoding.
  return `${[...head, "", ""].join("\r\n")}${envelope.toString("latin1")}`;
}

const subscribeStream: Transport = {
  opening: { request: opening, answer: "HTTP/1.1 200" },
  frame() {
    throw new Error("A Subscribe stream cannot publish.");
  },
  reader: (_options, consumed) => new WholeReader(envelopesEnd, "latin1", consumed),
  // Heartbeats differ in time per stream, and streams are compared byte by byte.
  unwrapping: () => unchunk((chunk) => chunk.length === HEARTBEAT_BYTES),
};

/** The end of the last complete envelope. */
function envelopesEnd(bytes: Buffer): number {
  let end = 0;
  for (let next = endOf(bytes, 0); next <= bytes.length; next = endOf(bytes, end)) end = next;
  return end;
}

/** The end of the envelope at `at`; infinite where its head is incomplete. */
const endOf = (bytes: Buffer, at: number): number =>
  at + HEAD_BYTES > bytes.length ? Infinity : at + HEAD_BYTES + bytes.readUInt32BE(at + 1);

const PAYLOAD = /\d{10}x{90}/;

function messagesIn(frame: string): number[] {
  const bytes = Buffer.from(frame, "latin1");
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; at = endOf(bytes, at)) {
    const [payload] = PAYLOAD.exec(frame.slice(at, endOf(bytes, at))) ?? [];
    if ((bytes[at]! & END_FLAG) !== 0) numbers.push(Number.NaN);
    else if (payload !== undefined) numbers.push(seqOf(payload));
  }
  return numbers;
}

/** Subscribers call Subscribe; publishers have sockets. */
export const subscription = (
  query: (room: string, member: number) => string,
  publisher: Dialect,
): Dialect => ({
  ...{
    transport: subscribeStream,
    publisher,
    publishFrame: publisher.publishFrame,
    messagesIn,
    binary: true,
  },
  path: (room, member) => `/dormouse.v1.Hub/Subscribe?${query(room, member)}`,
  // The first message confirms the position in the room.
  isReady: (frame) => frame.length > HEARTBEAT_BYTES,
});

export const unaryCalls = (token: () => string): Dialect => ({
  ...{ transport: httpPosts, path: () => `/dormouse.v1.Hub/Invoke?access_token=${token()}` },
  publishFrame: payloadOf,
  messagesIn: () => [],
  callFrame: (seq) => `{"hub":"relayed","method":"echo","arguments":["${payloadOf(seq)}"]}`,
  answersIn: (frame) => [seqOf((JSON.parse(frame) as { result?: unknown }).result)],
});
