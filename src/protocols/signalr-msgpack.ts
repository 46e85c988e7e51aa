// SignalR's MessagePack hub protocol: the codec, and messages → bytes. Inbound bytes are decode-signalr-msgpack.ts.
// Values are encoded as in JSON, except that bytes stay bytes.

import { encode as pack } from "@msgpack/msgpack";
import type { CloseCode } from "../model/errors.ts";
import type { Encoded, Outgoing, OutgoingInvocation, Path } from "../model/message.ts";
import { asBytes, concat } from "./bytes.ts";
import { isBytes } from "./json.ts";
import { decodeSignalrMsgpack } from "./decode-signalr-msgpack.ts";
import type { Protocol } from "./protocol.ts";
import { closeMessageOf, failureText, type Failure } from "./signalr-errors.ts";
import { writeTarget, type TargetNames } from "./signalr-targets.ts";

const PING = Uint8Array.of(0x02, 0x91, 0x06);

/** The codec for one spelling of client methods. Its name is stored with connections, and so never changes. */
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

/** One message as bytes. Throws on BigInt, cycles and deep nesting, as JSON does; the dispatcher answers `internal`. */
function encode(message: Outgoing, names: TargetNames): Uint8Array {
  switch (message.type) {
    case "invocation":
      return encodeInvocation(message, names);
    case "item":
      return withLength([2, {}, String(message.id), plain(message.item)]);
    case "completion":
      return withLength([3, {}, String(message.id), ...resultItems(message.result)]);
    case "failure":
      return withLength([3, {}, String(message.id), ...errorItems(message)]);
    case "record":
      return asBytes(message.record);
    case "ack":
      return withLength([8, message.sequence]);
    case "sequence":
      return withLength([9, message.sequence]);
    case "batch":
      return join(message.answers.map((answer) => encode(answer, names)));
    case "control":
      return new Uint8Array(0);
    default:
      return message satisfies never;
  }
}

/** An Invocation. The empty list of streams is written: .NET reads five items or six, other clients expect six. */
function encodeInvocation(message: OutgoingInvocation, names: TargetNames): Uint8Array {
  const { id = null, target, params, bytes = [] } = message;
  const args: unknown = JSON.parse(params);
  for (const path of bytes) toBytes(args, path);
  return withLength([1, {}, id, writeTarget(target, names), args, []], params.length + 256);
}

/** Result kind and result. The end of a stream has none (2); a method without a return value has null (3). */
const resultItems = (result: unknown): unknown[] =>
  result === undefined ? [2] : [3, plain(result)];

/** A caller that cancelled gets a plain end (2), not an error (1). */
const errorItems = (failure: Failure): unknown[] =>
  failure.stage === "cancelling" ? [2] : [1, failureText(failure)];

/** A message after its length: seven bits per byte, lowest first. `size` is an estimate for the first buffer. */
function withLength(message: readonly unknown[], size = 256): Uint8Array {
  // Depth is limited by the stack, as in JSON.stringify: the library's default of 100 would refuse what JSON permits.
  const payload = pack(message, { maxDepth: Infinity, initialBufferSize: size });
  return concat([prefixOf(payload.length), payload]);
}

/** The length as a VarInt. */
function prefixOf(length: number): Uint8Array {
  const prefix: number[] = [];
  let left = length;
  for (; left > 0x7f; left >>>= 7) prefix.push((left & 0x7f) | 0x80);
  return Uint8Array.of(...prefix, left);
}

/** Replaces base64 by bytes, in place: `args` was parsed for this message alone. A path to nowhere is ignored. */
function toBytes(args: unknown, path: Path): void {
  let holder = args;
  for (const key of path.slice(0, -1)) holder = memberOf(holder, key);
  const last = path.at(-1);
  if (last === undefined) return;
  const text = memberOf(holder, last);
  if (typeof text === "string") (holder as Record<string | number, unknown>)[last] = unbase64(text);
}

/** The own property `key` of a value, else undefined. */
const memberOf = (holder: unknown, key: string | number): unknown =>
  typeof holder === "object" && holder !== null && Object.hasOwn(holder, key)
    ? (holder as Record<string | number, unknown>)[key]
    : undefined;

/** The bytes of a base64 text. Another text, which a `toJSON` put in place of the bytes, stays as it is. */
function unbase64(text: string): Uint8Array | string {
  try {
    return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
  } catch {
    return text; // An InvalidCharacterError, the only thing atob throws.
  }
}

/**
 * The value as `JSON.stringify` would see it, except for bytes, NaN and infinities, which MessagePack can represent.
 */
function plain(value: unknown): unknown {
  if (isBytes(value)) return asBytes(value);
  const jsonValue = hasToJson(value) ? value.toJSON("") : value;
  if (typeof jsonValue === "bigint") throw new TypeError("Do not know how to serialize a BigInt");
  if (typeof jsonValue === "function" || typeof jsonValue === "symbol") return undefined;
  if (typeof jsonValue !== "object" || jsonValue === null) return jsonValue;
  return Array.isArray(jsonValue) ? jsonValue.map(plain) : plainObject(jsonValue);
}

/** Undefined members are omitted, as in JSON. `fromEntries` keeps `__proto__` an ordinary member. */
function plainObject(value: object): object {
  const members = Object.entries(value).map(([key, member]) => [key, plain(member)] as const);
  return Object.fromEntries(members.filter(([, member]) => member !== undefined));
}

const hasToJson = (value: unknown): value is { toJSON(key: string): unknown } =>
  typeof value === "object" &&
  value !== null &&
  "toJSON" in value &&
  typeof value.toJSON === "function";

/** One frame of all records: each has its length, so nothing stands between them. */
const join = (records: readonly Encoded[]): Uint8Array =>
  records.length === 1 ? asBytes(records[0]!) : concat(records.map(asBytes));

/** The number of messages in a frame of our own, counted by their lengths. */
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

/** A Close message. `allowReconnect` is left out where it is false. */
function farewell(why: CloseCode, detail?: string): Uint8Array {
  const { error = null, allowReconnect } = closeMessageOf(why, detail);
  return withLength(allowReconnect ? [7, error, true] : [7, error]);
}
