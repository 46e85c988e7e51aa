// SignalR by hand, in both of its protocols: handshake, Join, then `Say` without an id, or `Echo` with one. What a hub
// calls on its clients is `said` here, and `Said` where it follows .NET's names.

import { decode } from "@msgpack/msgpack";
import { payloadOf, seqOf, type Dialect } from "./dialect.ts";

type Path = Dialect["path"];

/** Compilers that learn as they go have learnt after this. */
const WARM_MS = 3_000;

const JOIN = "join";
const END = "\u001e";
const HANDSHAKEN = `{}${END}`;

interface Call {
  readonly id?: string;
  readonly target: string;
  readonly args: readonly string[];
}

/** A record that came: of an invocation its target and first argument, of a completion its id and result. */
interface Heard {
  readonly type: number;
  readonly name?: unknown;
  readonly value?: unknown;
  readonly error?: unknown;
}

interface Codec {
  readonly name: string;
  write(call: Call): string;
  read(frame: string): Heard[];
}

const INVOCATION = 1;
const COMPLETION = 3;
const PING = 6;

/** Anything but what was asked for, a Close above all, makes the measurement void. */
const seqIn =
  (wanted: number) =>
  ({ type, name, value, error }: Heard): number[] => {
    if (type === PING || (type === COMPLETION && name === JOIN && error === undefined)) return [];
    const said = type !== INVOCATION || /^said$/i.test(String(name));
    return [type === wanted && said && error === undefined ? seqOf(value) : Number.NaN];
  };

const signalr = (path: Path, codec: Codec): Dialect => ({
  path,
  hello: () => `{"protocol":"${codec.name}","version":1}${END}`,
  reply: (frame, room) =>
    frame.startsWith(HANDSHAKEN)
      ? codec.write({ id: JOIN, target: "Join", args: [room] })
      : undefined,
  isReady: (frame) =>
    frame !== HANDSHAKEN &&
    codec.read(frame).some(({ type, name }) => type === COMPLETION && name === JOIN),
  say: (seq, room) => codec.write({ target: "Say", args: [room, payloadOf(seq)] }),
  heard: (frame) => codec.read(frame).flatMap(seqIn(INVOCATION)),
  ask: (seq) => codec.write({ id: String(seq), target: "Echo", args: [payloadOf(seq)] }),
  answers: (frame) => codec.read(frame).flatMap(seqIn(COMPLETION)),
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

/** A string of up to 255 bytes. */
const packed = (text: string): string =>
  (text.length < 32 ? byte(0xa0 | text.length) : `\xd9${byte(text.length)}`) + text;

const byte = (value: number): string => String.fromCharCode(value);

/** Seven bits a byte, the lowest first. */
const lengthOf = (length: number): string =>
  length < 0x80 ? byte(length) : byte((length & 0x7f) | 0x80) + lengthOf(length >>> 7);

/** [1, headers, id, target, arguments, streams], and so on: a record is an array. */
type Packed = readonly [type: number, headers: unknown, id: unknown, ...rest: unknown[]];

const ERROR = 1;

const messagePack: Codec = {
  name: "messagepack",
  write: ({ id, target, args }) => {
    const head = `\x96\x01\x80${id === undefined ? "\xc0" : packed(id)}${packed(target)}`;
    const record = `${head}${byte(0x90 | args.length)}${args.map(packed).join("")}\x90`;
    return lengthOf(record.length) + record;
  },
  read: (frame) => recordsOf(Buffer.from(frame, "latin1")).map(unpacked),
};

function unpacked(record: Buffer): Heard {
  const [type, , id, ...rest] = decode(record) as Packed;
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

export const signalrJson = (path: Path): Dialect => signalr(path, json);

export const signalrMessagePack = (path: Path): Dialect => ({
  ...signalr(path, messagePack),
  binary: true,
});
