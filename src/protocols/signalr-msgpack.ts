// SignalR's MessagePack hub protocol: the codec, and messages → bytes. Inbound bytes are read by
// decode-signalr-msgpack.ts; values are handled by msgpack-members.ts and msgpack-values.ts.

import type { CloseCode } from "../model/errors.ts";
import type { Encoded, Outgoing, OutgoingInvocation, Path } from "../model/message.ts";
import { asBytes, concat } from "./bytes.ts";
import { decodeSignalrMsgpack } from "./decode-signalr-msgpack.ts";
import { parseTime } from "./exact-date.ts";
import { parseParams } from "./exact-json.ts";
import { isJsonObject, type Members } from "./json.ts";
import { MsgpackMembers, type MessagePackKeys } from "./msgpack-members.ts";
import { packValue, wholeNumber } from "./msgpack-values.ts";
import { WHOLE_KEY } from "./places.ts";
import type { Protocol } from "./protocol.ts";
import { closeMessageOf, failureText, type Failure } from "./signalr-errors.ts";
import { writeTarget, type TargetNames } from "./signalr-json.ts";
import type { StateNames } from "../model/state-wire.ts";
import { stateInvocation } from "./state-invocation.ts";

const PING = Uint8Array.of(0x02, 0x91, 0x06);

export interface MsgpackNames extends TargetNames {
  /** Default: `verbatim`. */
  readonly messagePackKeys?: MessagePackKeys;
}

/** The codec for one spelling of client methods and keys. */
export function signalrMsgpack(names: MsgpackNames): Protocol {
  return {
    name: msgpackName(names),
    binding: "msgpack",
    decode: decodeSignalrMsgpack,
    encode: (message, state) => encode(message, names, state),
    join,
    ping: PING,
    count,
    farewell,
  };
}

/** The codec's name. It is stored with connections, and must never change. */
export const msgpackName = ({ verbatim, messagePackKeys = "verbatim" }: MsgpackNames): string =>
  `signalr-msgpack${verbatim ? "-verbatim" : ""}${messagePackKeys === "pascal" ? "-pascal" : ""}`;

/**
 * One message as bytes. Throws for values that MessagePack cannot represent, cycles and deep nesting; the dispatcher
 * answers `internal`.
 */
function encode(message: Outgoing, names: MsgpackNames, state?: StateNames): Uint8Array {
  switch (message.type) {
    case "invocation":
      return encodeInvocation(message, names);
    case "item":
      return encodeValue([2, {}, String(message.id)], message.item, names);
    case "completion":
      // The end of a stream has no result (kind 2); a method without a return value has null (3).
      return message.result === undefined
        ? withLength([3, {}, String(message.id), 2])
        : encodeValue([3, {}, String(message.id), 3], message.result, names);
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
    case "state": {
      const invocation = stateInvocation(message, state);
      // Keys stay as they are: patches are applied by them, and many are ids, not members of a class.
      const exact = { ...names, messagePackKeys: "verbatim" } as const;
      return invocation ? encodeInvocation(invocation, exact) : new Uint8Array(0);
    }
    case "control":
      return new Uint8Array(0);
    default:
      return message satisfies never;
  }
}

/** An Invocation. The empty list of streams is written: .NET reads five items or six, other clients expect six. */
function encodeInvocation(message: OutgoingInvocation, names: MsgpackNames): Uint8Array {
  const { id = null, target, params, bytes = [] } = message;
  const args = parseParams(params);
  // Inner places first, because paths lead through objects, not through maps.
  for (const path of bytes.toReversed()) restore(args, path);
  const members = new MsgpackMembers(names.messagePackKeys);
  const items = [1, {}, id, writeTarget(target, names), members.convert(args), []];
  return withLength(items, params.length + 256, members.hasMaps);
}

/** A message that ends with a value of hub code. */
function encodeValue(
  head: readonly unknown[],
  value: unknown,
  { messagePackKeys }: MsgpackNames,
): Uint8Array {
  const members = new MsgpackMembers(messagePackKeys);
  const message = [...head, members.convert(value)];
  return withLength(message, undefined, members.hasMaps);
}

/** A caller that cancelled gets a Completion without a result (2), not with an error (1). */
const errorItems = (failure: Failure): unknown[] =>
  failure.stage === "cancelling" ? [2] : [1, failureText(failure)];

/** A message with its length in front: seven bits per byte, lowest first. `size` is an estimate. */
function withLength(message: readonly unknown[], size?: number, hasMaps = false): Uint8Array {
  const payload = packValue(message, hasMaps, size);
  return concat([prefixOf(payload.length), payload]);
}

/** The length as a VarInt. */
function prefixOf(length: number): Uint8Array {
  const prefix: number[] = [];
  let left = length;
  for (; left > 0x7f; left >>>= 7) prefix.push((left & 0x7f) | 0x80);
  return Uint8Array.of(...prefix, left);
}

/**
 * Replaces the text of a value that JSON cannot represent with the value. Changes `args` in place: it was parsed only
 * for this message. A path that does not exist is ignored.
 */
function restore(args: unknown, path: Path): void {
  let holder = args;
  for (const key of path.slice(0, -1)) holder = memberOf(holder, key);
  const last = path.at(-1);
  if (last === undefined) return;
  const value = memberOf(holder, last);
  if (typeof value === "string")
    (holder as Record<string | number, unknown>)[last] = parseTime(value) ?? unbase64(value);
  else if (isJsonObject(value)) (holder as Record<string | number, unknown>)[last] = mapOf(value);
}

/** The own property `key` of a value, else undefined. */
const memberOf = (holder: unknown, key: string | number): unknown =>
  typeof holder === "object" && holder !== null && Object.hasOwn(holder, key)
    ? (holder as Record<string | number, unknown>)[key]
    : undefined;

/** The `Map` for which an object stands. */
function mapOf(object: Members): Map<unknown, unknown> {
  const keys = Object.keys(object);
  const isNumeric = keys.every((key) => WHOLE_KEY.test(key));
  return new Map(keys.map((key) => [isNumeric ? wholeNumber(BigInt(key)) : key, object[key]]));
}

/** The bytes of a base64 text. Other text, which a `toJSON` has put in place of the bytes, is returned unchanged. */
function unbase64(text: string): Uint8Array | string {
  try {
    return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
  } catch {
    return text; // An InvalidCharacterError, the only thing atob throws.
  }
}

/** One frame of all records: each begins with its length, so that there is nothing between them. */
const join = (records: readonly Encoded[]): Uint8Array =>
  records.length === 1 ? asBytes(records[0]!) : concat(records.map(asBytes));

/** The number of messages in a frame of this codec, counted by their lengths. */
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

/** A Close message, always with three items, as ASP.NET Core writes it: some clients fail on two. */
function farewell(why: CloseCode, detail?: string): Uint8Array {
  const { error = null, allowReconnect = false } = closeMessageOf(why, detail);
  return withLength([7, error, allowReconnect]);
}
