// Minimal SignalR client in both protocols: handshake, Join, then `Say` without an id, or `Echo` with one. The hub
// calls `said` on its clients, or `Said` where it has .NET's names.

import { decode } from "@msgpack/msgpack";
import { payloadOf, seqOf, type Dialect } from "./dialect.ts";

type Path = Dialect["path"];

/** Warm-up of servers with a just-in-time compiler. */
const WARM_MS = 3_000;

const JOIN = "join";
const END = "\u001e";
const HANDSHAKE_RESPONSE = `{}${END}`;

interface Call {
  readonly id?: string;
  readonly target: string;
  readonly args: readonly string[];
}

/** A received record: an invocation's target and first argument, or a completion's id and result. */
interface ReceivedRecord {
  readonly type: number;
  readonly name?: unknown;
  readonly value?: unknown;
  readonly error?: unknown;
}

interface Codec {
  readonly name: string;
  write(call: Call): string;
  read(frame: string): ReceivedRecord[];
}

const INVOCATION = 1;
const COMPLETION = 3;
const PING = 6;

/** Numbers of the records of one type. Any other record, above all a Close, makes the measurement void. */
const seqIn =
  (expected: number) =>
  ({ type, name, value, error }: ReceivedRecord): number[] => {
    if (type === PING || (type === COMPLETION && name === JOIN && error === undefined)) return [];
    const isMessage = type !== INVOCATION || /^said$/i.test(String(name));
    return [type === expected && isMessage && error === undefined ? seqOf(value) : Number.NaN];
  };

const signalr = (path: Path, codec: Codec): Dialect => ({
  path,
  hello: () => `{"protocol":"${codec.name}","version":1}${END}`,
  reply: (frame, room) =>
    frame.startsWith(HANDSHAKE_RESPONSE)
      ? codec.write({ id: JOIN, target: "Join", args: [room] })
      : undefined,
  isReady: (frame) =>
    frame !== HANDSHAKE_RESPONSE &&
    codec.read(frame).some(({ type, name }) => type === COMPLETION && name === JOIN),
  publishFrame: (seq, room) => codec.write({ target: "Say", args: [room, payloadOf(seq)] }),
  messagesIn: (frame) => codec.read(frame).flatMap(seqIn(INVOCATION)),
  callFrame: (seq) => codec.write({ id: String(seq), target: "Echo", args: [payloadOf(seq)] }),
  answersIn: (frame) => codec.read(frame).flatMap(seqIn(COMPLETION)),
  warmMs: WARM_MS,
});

interface JsonRecord {
  readonly type: number;
  readonly invocationId?: string;
  readonly target?: string;
  readonly arguments?: readonly unknown[];
  readonly result?: unknown;
  readonly error?: string;
}

const json: Codec = {
  name: "json",
  write: ({ id, target, args }) =>
    JSON.stringify({ type: INVOCATION, invocationId: id, target, arguments: args }) + END,
  read: (frame) =>
    frame
      .slice(0, -END.length)
      .split(END)
      .map((text) => {
        const record = JSON.parse(text) as JsonRecord;
        const { type, target, invocationId, result, error } = record;
        return type === INVOCATION
          ? { type, name: target, value: record.arguments?.[0] }
          : { type, name: invocationId, value: result, error };
      }),
};

/** A MessagePack string of up to 255 bytes. */
const packText = (text: string): string =>
  (text.length < 32 ? byte(0xa0 | text.length) : `\xd9${byte(text.length)}`) + text;

const byte = (value: number): string => String.fromCharCode(value);

/** A VarInt: seven bits per byte, lowest first. */
const lengthOf = (length: number): string =>
  length < 0x80 ? byte(length) : byte((length & 0x7f) | 0x80) + lengthOf(length >>> 7);

/** A record as decoded: `[1, headers, id, target, arguments, streams]` and the like. */
type RecordItems = readonly [type: number, headers: unknown, id: unknown, ...rest: unknown[]];

const ERROR = 1;

const messagePack: Codec = {
  name: "messagepack",
  write: ({ id, target, args }) => {
    const head = `\x96\x01\x80${id === undefined ? "\xc0" : packText(id)}${packText(target)}`;
    const record = `${head}${byte(0x90 | args.length)}${args.map(packText).join("")}\x90`;
    return lengthOf(record.length) + record;
  },
  read: (frame) => recordsOf(Buffer.from(frame, "latin1")).map(readRecord),
};

function readRecord(record: Buffer): ReceivedRecord {
  const [type, , id, ...rest] = decode(record) as RecordItems;
  if (type === INVOCATION) return { type, name: rest[0], value: (rest[1] as unknown[])[0] };
  const [kind, value] = rest;
  return { type, name: id, value, ...(kind === ERROR && { error: value }) };
}

function recordsOf(bytes: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    let [length, shift] = [0, 0];
    for (;;) {
      const next = bytes[at++]!;
      length |= (next & 0x7f) << shift;
      shift += 7;
      if (next < 0x80) break;
    }
    records.push(bytes.subarray(at, at + length));
    at += length;
  }
  return records;
}

/**
 * Calls that publish to the caller's own room and wait for the completion, which comes after the caller's own copy. The
 * copy is not counted.
 */
export const signalrPublishes = (path: Path): Dialect => ({
  ...signalrJson(path),
  callFrame: (seq, room) =>
    json.write({ id: String(seq), target: "Say", args: [room, payloadOf(seq)] }),
  answersIn: (frame) =>
    json
      .read(frame)
      .filter(({ type }) => type === COMPLETION)
      .map(({ name, error }) => (error === undefined ? Number(name) : Number.NaN)),
});

export const signalrJson = (path: Path): Dialect => signalr(path, json);

export const signalrMessagePack = (path: Path): Dialect => ({
  ...signalr(path, messagePack),
  binary: true,
});
