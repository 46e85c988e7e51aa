// Our service in Connect's protocol: Subscribe in protobuf over a stream of envelopes, Invoke in JSON.

import { create, toBinary } from "@bufbuild/protobuf";
import { SubscribeRequestSchema } from "../src/protocols/proto/dormouse/v1/hub_pb.ts";
import { payloadOf, seqOf, type Dialect } from "./dialect.ts";
import { chunksOff, posts, WholeReader } from "./over-http.ts";
import type { Target, Transport } from "./transport.ts";

/** A flag, and the length of the message that follows. */
const HEAD_BYTES = 5;
const END_FLAG = 2;
/** The message with nothing but its kind. */
const HEARTBEAT_BYTES = HEAD_BYTES + 2;

/** Hub and topic stand in the query, where nobody reads them but this. */
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
  // Its bytes are all below 128.
  return `${[...head, "", ""].join("\r\n")}${envelope.toString("latin1")}`;
}

const subscribeStream: Transport = {
  opening: { request: opening, answer: "HTTP/1.1 200" },
  frame() {
    throw new Error("Nobody speaks on a stream that was subscribed to.");
  },
  reader: (_options, consumed) => new WholeReader(envelopesEnd, "latin1", consumed),
  // Heartbeats come at every stream's own time, within bytes that are compared.
  unwrapping: () => chunksOff((chunk) => chunk.length === HEARTBEAT_BYTES),
};

/** All messages that have come as a whole are a frame. */
function envelopesEnd(bytes: Buffer): number {
  let end = 0;
  for (let next = endOf(bytes, 0); next <= bytes.length; next = endOf(bytes, end)) end = next;
  return end;
}

/** Where the envelope that begins here ends; beyond all where that is not known yet. */
const endOf = (bytes: Buffer, at: number): number =>
  at + HEAD_BYTES > bytes.length ? Infinity : at + HEAD_BYTES + bytes.readUInt32BE(at + 1);

const PAYLOAD = /\d{10}x{90}/;

function heard(frame: string): number[] {
  const bytes = Buffer.from(frame, "latin1");
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; at = endOf(bytes, at)) {
    const [payload] = PAYLOAD.exec(frame.slice(at, endOf(bytes, at))) ?? [];
    if ((bytes[at]! & END_FLAG) !== 0) numbers.push(Number.NaN);
    else if (payload !== undefined) numbers.push(seqOf(payload));
  }
  return numbers;
}

/** Those who listen subscribe, and whoever speaks has a socket. */
export const subscribed = (
  query: (room: string, member: number) => string,
  speaker: Dialect,
): Dialect => ({
  ...{ transport: subscribeStream, speaker, say: speaker.say, heard, binary: true },
  path: (room, member) => `/dormouse.v1.Hub/Subscribe?${query(room, member)}`,
  // Whatever comes first says where the room stands.
  isReady: (frame) => frame.length > HEARTBEAT_BYTES,
});

export const invoked = (token: () => string): Dialect => ({
  ...{ transport: posts, path: () => `/dormouse.v1.Hub/Invoke?access_token=${token()}` },
  say: payloadOf,
  heard: () => [],
  ask: (seq) => `{"hub":"relayed","method":"echo","arguments":["${payloadOf(seq)}"]}`,
  answers: (frame) => [seqOf((JSON.parse(frame) as { result?: unknown }).result)],
});
