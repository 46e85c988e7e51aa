// Decodes SignalR's MessagePack from clients: bytes → messages. Each is preceded by its length; a frame may have
// several messages, and parts of messages. Arrays become named members as in JSON, so that hub-message.ts reads both
// encodings.

import { HubError } from "../model/errors.ts";
import type { Incoming, Received } from "../model/message.ts";
import type { Limits } from "../model/options.ts";
import type { Members } from "./json.ts";
import { append, asBytes, concat, restOf } from "./bytes.ts";
import { msgpackError } from "./hostile-msgpack.ts";
import { brokenMessage, maxMessagesPerFrame, readHubMessage } from "./hub-message.ts";
import { decodeItems, decodeShallowItems, UNREADABLE } from "./msgpack-values.ts";
import {
  invalidData,
  tooLarge,
  tooMany,
  unreadableValue,
  withNetDetail,
} from "./signalr-errors.ts";

const NOTHING = new Uint8Array(0);

/** Never throws, as `Protocol.decode` requires. Decoding stops at the first `broken` message. */
export function decodeSignalrMsgpack(
  frame: string | ArrayBuffer,
  limits: Limits,
  rest: string | Uint8Array = NOTHING,
): Received {
  const [begun, more] = [asBytes(rest), asBytes(frame)];
  if (endsLater(begun, more))
    return { messages: [], batch: false, rest: append(begun, more, limits.messageBytes) };
  const bytes = concat([begun, more]);
  const messages: Incoming[] = [];
  const allowed = maxMessagesPerFrame(limits);
  for (let at = 0, count = 1; at < bytes.length; count++) {
    const found = count > allowed ? tooMany(allowed) : findMessage(bytes, at, limits);
    if (!found) return { messages, batch: false, rest: restOf(bytes, at) };
    const message =
      found instanceof HubError ? brokenMessage(found) : readPayload(found.payload, limits);
    if (message) messages.push(message);
    if (found instanceof HubError || message?.type === "broken") break;
    at = found.end;
  }
  return { messages, batch: false };
}

/** Whether the message that has begun continues after these bytes. Its length was checked with its first bytes. */
function endsLater(begun: Uint8Array, more: Uint8Array): boolean {
  const prefix = readPrefix(begun, 0);
  if (!prefix || prefix instanceof HubError) return false;
  return begun.length + more.length < prefix.width + prefix.length;
}

interface LengthPrefixed {
  readonly payload: Uint8Array;
  /** Index of the next message. */
  readonly end: number;
}

/** The message at `at`; undefined if it is incomplete. Its announced length is checked before its bytes arrive. */
function findMessage(
  bytes: Uint8Array,
  at: number,
  limits: Limits,
): LengthPrefixed | HubError | undefined {
  const prefix = readPrefix(bytes, at);
  if (!prefix || prefix instanceof HubError) return prefix;
  const start = at + prefix.width;
  const end = start + prefix.length;
  if (end - at > limits.messageBytes) return tooLarge(limits);
  return end <= bytes.length ? { payload: bytes.subarray(start, end), end } : undefined;
}

interface Prefix {
  readonly width: number;
  readonly length: number;
}

/**
 * The length, a VarInt (HubProtocol.md of dotnet/aspnetcore): seven bits per byte, lowest first, at most five bytes and
 * 2³¹−1. Undefined if it is incomplete.
 */
function readPrefix(bytes: Uint8Array, at: number): Prefix | HubError | undefined {
  let length = 0;
  for (let width = 1; ; width++) {
    const byte = bytes[at + width - 1];
    if (byte === undefined) return undefined;
    if (width === 5 && byte > 7) return invalidData("Messages bigger than 2GB are not supported.");
    length += (byte & 0x7f) * 2 ** (7 * (width - 1));
    if (byte < 0x80) return { width, length };
  }
}

/**
 * One message without its length; undefined for an unknown type. Pings are compared first, because they are the most
 * frequent messages.
 */
function readPayload(payload: Uint8Array, limits: Limits): Incoming | undefined {
  if (payload.length === 2 && payload[0] === 0x91 && payload[1] === 6) return { type: "ping" };
  const hostile = msgpackError(payload, limits.depth);
  if (hostile?.code === "too_deep") return readDeep(payload, limits, hostile);
  if (hostile) return brokenMessage(withNetDetail(hostile));
  const values = decodeItems(payload);
  if (values === undefined || !Array.isArray(values))
    return brokenMessage(invalidData("A message is an array."));
  return readItems(values, invalidData("Error reading MessagePack."));
}

/** A message of too many levels, which .NET counts for each value (docs/design/signalr-wire.md#ms5). */
function readDeep(payload: Uint8Array, { depth }: Limits, tooDeep: HubError): Incoming | undefined {
  const values = decodeShallowItems(payload, depth);
  const error = withNetDetail(tooDeep);
  return Array.isArray(values) ? readItems(values, error) : brokenMessage(error);
}

/**
 * The message. All its items must be readable, except its arguments, item or result: otherwise it is broken by `error`.
 */
function readItems(values: readonly unknown[], error: HubError): Incoming | undefined {
  const known = values.slice(0, layoutOf(values)?.length);
  const place = known.indexOf(UNREADABLE);
  if (place < 0) return readNamed(known);
  if (place !== PAYLOADS.get(known[0]) || known.includes(UNREADABLE, place + 1))
    return brokenMessage(error);
  return readNamed(known.with(place, []), unreadableValue("A value cannot be read."));
}

/** The index of the arguments, item or result, by message type. */
const PAYLOADS: ReadonlyMap<unknown, number> = new Map([
  [1, 4],
  [2, 3],
  [3, 4],
  [4, 4],
]);

function readNamed(values: readonly unknown[], unreadable?: HubError): Incoming | undefined {
  const members = readMembers(values);
  return members
    ? readHubMessage(members, unreadable)
    : brokenMessage(invalidData("Invalid invocation result kind."));
}

const CALL = ["type", "headers", "invocationId", "target", "arguments", "streamIds"];

/** Names of the items by message type. Further items belong to later versions, and are ignored. */
const LAYOUTS: ReadonlyMap<unknown, readonly string[]> = new Map([
  [1, CALL],
  [2, ["type", "headers", "invocationId", "item"]],
  [4, CALL],
  [5, ["type", "headers", "invocationId"]],
  [7, ["type", "error"]],
  [8, ["type", "sequenceId"]],
  [9, ["type", "sequenceId"]],
]);

/** Layouts of completions by result kind: error, void, result. */
const COMPLETION_LAYOUTS: ReadonlyMap<unknown, readonly string[]> = new Map([
  [1, ["type", "headers", "invocationId", "kind", "error"]],
  [2, ["type", "headers", "invocationId", "kind"]],
  [3, ["type", "headers", "invocationId", "kind", "result"]],
]);

/** The names of the items; undefined for a completion of unknown kind. */
const layoutOf = (values: readonly unknown[]): readonly string[] | undefined =>
  values[0] === 3 ? COMPLETION_LAYOUTS.get(values[3]) : (LAYOUTS.get(values[0]) ?? ["type"]);

/** The message's members by name; undefined for a completion of unknown kind, or with fewer items than its kind has. */
function readMembers(values: readonly unknown[]): Members | undefined {
  const layout = layoutOf(values);
  if (!layout || (values[0] === 3 && values.length < layout.length)) return undefined;
  return Object.fromEntries(layout.map((name, at) => [name, values[at]]));
}
