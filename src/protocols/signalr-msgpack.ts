// SignalR's MessagePack hub protocol, both ways: the codec, and messages → bytes. Inbound bytes are
// decode-signalr-msgpack.ts. Values are written as JSON would have them, but bytes as bytes.

import { encode as pack } from "@msgpack/msgpack";
import type { CloseCode } from "../model/errors.ts";
import type { Encoded, Outgoing, OutgoingInvocation, Path } from "../model/message.ts";
import { asBytes, concat } from "./bytes.ts";
import { decodeSignalrMsgpack } from "./decode-signalr-msgpack.ts";
import type { Protocol } from "./protocol.ts";
import { closing, failureText, type Failure } from "./signalr-errors.ts";
import { writeTarget, type TargetNames } from "./signalr-targets.ts";

const PING = Uint8Array.of(0x02, 0x91, 0x06);

export function signalrMsgpack(names: TargetNames): Protocol {
  return {
    name: names.verbatim ? "signalr-msgpack-verbatim" : "signalr-msgpack",
    decode: decodeSignalrMsgpack,
    encode: (message) => encode(message, names),
    join,
    ping: PING,
    count,
    farewell,
  };
}

/** Throws on BigInt, cycles and deep nesting, as JSON's does. The dispatcher answers `internal`. */
function encode(message: Outgoing, names: TargetNames): Uint8Array {
  switch (message.type) {
    case "invocation":
      return encodeInvocation(message, names);
    case "item":
      return framed([2, {}, String(message.id), plain(message.item)]);
    case "completion":
      return framed([3, {}, String(message.id), ...outcome(message.result)]);
    case "failure":
      return framed([3, {}, String(message.id), ...failed(message)]);
    case "record":
      return asBytes(message.record);
    case "ack":
      return framed([8, message.sequence]);
    case "sequence":
      return framed([9, message.sequence]);
    case "batch":
      return join(message.answers.map((answer) => encode(answer, names)));
    case "control":
      return new Uint8Array(0);
    default:
      return message satisfies never;
  }
}

/** The sixth item is written though it is empty: .NET reads five or six, others expect it. */
function encodeInvocation(message: OutgoingInvocation, names: TargetNames): Uint8Array {
  const { id = null, target, params, bytes = [] } = message;
  const args: unknown = JSON.parse(params);
  for (const path of bytes) toBytes(args, path);
  return framed([1, {}, id, writeTarget(target, names), args, []], params.length + 256);
}

/** The end of a stream has no result; a method that returns nothing has the result null. */
const outcome = (result: unknown): unknown[] => (result === undefined ? [2] : [3, plain(result)]);

/** Who cancelled is told that it is over, not that it failed. */
const failed = (failure: Failure): unknown[] =>
  failure.stage === "cancelling" ? [2] : [1, failureText(failure)];

/** A message and its length before it: seven bits a byte, the lowest first. `size` is a guess, for speed only. */
function framed(message: readonly unknown[], size = 256): Uint8Array {
  // Depth is what the stack allows, as for JSON.stringify: the default of 100 would refuse what JSON carries.
  const payload = pack(message, { maxDepth: Infinity, initialBufferSize: size });
  return concat([prefixOf(payload.length), payload]);
}

function prefixOf(length: number): Uint8Array {
  const prefix: number[] = [];
  let left = length;
  for (; left > 0x7f; left >>>= 7) prefix.push((left & 0x7f) | 0x80);
  return Uint8Array.of(...prefix, left);
}

/** In place: `args` was parsed for this message. A path that leads nowhere is left alone. */
function toBytes(args: unknown, path: Path): void {
  let holder = args;
  for (const key of path.slice(0, -1)) holder = held(holder, key);
  const last = path.at(-1);
  if (last === undefined) return;
  const text = held(holder, last);
  if (typeof text === "string") (holder as Record<string | number, unknown>)[last] = unbase64(text);
}

const held = (holder: unknown, key: string | number): unknown =>
  typeof holder === "object" && holder !== null && Object.hasOwn(holder, key)
    ? (holder as Record<string | number, unknown>)[key]
    : undefined;

/** A `toJSON` around the bytes may have put another text in their place: that stays a text. */
function unbase64(text: string): Uint8Array | string {
  try {
    return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
  } catch {
    return text; // An InvalidCharacterError, the only thing atob throws.
  }
}

/** What `JSON.stringify` would see of a value, but for bytes, NaN and infinities: MessagePack has words for them. */
function plain(value: unknown): unknown {
  if (isBytes(value)) return asBytes(value);
  const said = hasToJson(value) ? value.toJSON("") : value;
  if (typeof said === "bigint") throw new TypeError("Do not know how to serialize a BigInt");
  if (typeof said === "function" || typeof said === "symbol") return undefined;
  if (typeof said !== "object" || said === null) return said;
  return Array.isArray(said) ? said.map(plain) : plainObject(said);
}

/** Undefined members are absent, as in JSON; `fromEntries` makes `__proto__` a member like others. */
function plainObject(value: object): object {
  const members = Object.entries(value).map(([key, member]) => [key, plain(member)] as const);
  return Object.fromEntries(members.filter(([, member]) => member !== undefined));
}

const isBytes = (value: unknown): value is Uint8Array | ArrayBuffer =>
  value instanceof Uint8Array || value instanceof ArrayBuffer;

const hasToJson = (value: unknown): value is { toJSON(key: string): unknown } =>
  typeof value === "object" &&
  value !== null &&
  "toJSON" in value &&
  typeof value.toJSON === "function";

const join = (records: readonly Encoded[]): Uint8Array =>
  records.length === 1 ? asBytes(records[0]!) : concat(records.map(asBytes));

/** Reads the lengths of a frame that we wrote. */
function count(frame: Encoded): number {
  const bytes = asBytes(frame);
  let messages = 0;
  for (let at = 0; at < bytes.length; messages++) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    at += length;
  }
  return messages;
}

function farewell(why: CloseCode, detail?: string): Uint8Array {
  const { error = null, allowReconnect } = closing(why, detail);
  return framed(allowReconnect ? [7, error, true] : [7, error]);
}
