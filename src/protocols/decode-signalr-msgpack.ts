// Decodes SignalR's MessagePack from clients: bytes → messages. Each is preceded by its length; a frame may hold
// several, and a part of one. Arrays become named members as in JSON, so that hub-message.ts reads both encodings.

import { decode, decodeTimestampExtension, type DecoderOptions } from "@msgpack/msgpack";
import { HubError } from "../model/errors.ts";
import type { Incoming, Received } from "../model/message.ts";
import type { Limits } from "../model/options.ts";
import type { Members } from "./json.ts";
import { asBytes, concat, restOf } from "./bytes.ts";
import { msgpackError } from "./hostile-msgpack.ts";
import { brokenMessage, maxMessagesPerFrame, readHubMessage } from "./hub-message.ts";
import { invalidData, tooDeep, tooLarge, tooMany } from "./signalr-errors.ts";

const NOTHING = new Uint8Array(0);

/** Never throws, as `Protocol.decode` requires. Decoding stops at the first `broken` message. */
export function decodeSignalrMsgpack(
  frame: string | ArrayBuffer,
  limits: Limits,
  rest: string | Uint8Array = NOTHING,
): Received {
  const bytes = concat([asBytes(rest), asBytes(frame)]);
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

interface LengthPrefixed {
  readonly payload: Uint8Array;
  /** Index of the next message. */
  readonly end: number;
}

/** The message at `at`; undefined where it is incomplete. Its announced length is checked before its bytes arrive. */
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
 * 2³¹−1. Undefined where it is incomplete.
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
 * One message without its length; undefined for a type that is unknown here. Pings are the most frequent, so they are
 * compared first.
 */
function readPayload(payload: Uint8Array, limits: Limits): Incoming | undefined {
  if (payload.length === 2 && payload[0] === 0x91 && payload[1] === 6) return { type: "ping" };
  const hostile = msgpackError(payload, limits.depth);
  if (hostile) return brokenMessage(withNetDetail(hostile));
  const values = decodePayload(payload);
  if (values === undefined) return brokenMessage(invalidData("Error reading MessagePack."));
  if (!Array.isArray(values)) return brokenMessage(invalidData("A message is an array."));
  const members = readMembers(copyBytes(values) as unknown[]);
  return members
    ? readHubMessage(members)
    : brokenMessage(invalidData("Invalid invocation result kind."));
}

/** The error with the detail that .NET would give. */
const withNetDetail = (error: HubError): HubError =>
  error.code === "too_deep" ? tooDeep(error) : invalidData(error.message);

/** The decoded value; undefined where it is refused. (No message decodes to undefined.) */
function decodePayload(payload: Uint8Array): unknown {
  try {
    return decode(payload, AS_JSON);
  } catch {
    // A DecodeError or a RangeError, all that the decoder throws at this point: keys that are no strings, and times
    // beyond those of Date. msgpackError has refused the rest.
    return undefined;
  }
}

/** Values as JSON would give them: times are ISO 8601 texts, and keys are strings. */
const AS_JSON: DecoderOptions = {
  extensionCodec: {
    decode: (data) => decodeTimestampExtension(data).toISOString(),
    tryToEncode: () => null,
  },
  mapKeyConverter: readKey,
  // The library's key cache is shared by all connections of the isolate, and keeps what the first one made of
  // ill-formed UTF-8.
  keyDecoder: null,
};

/** Keys must be strings. The decoder itself refuses `__proto__`. */
function readKey(key: unknown): string {
  if (typeof key === "string") return key;
  throw new RangeError("A key is a string.");
}

/**
 * Replaces views of the frame by copies, in place: a view would keep the whole frame alive, and expose it as `.buffer`.
 */
function copyBytes(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return value.slice();
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    const held = holder[key];
    if (typeof held === "object" && held !== null) holder[key] = copyBytes(held);
  }
  return holder;
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

/** The message's members by name; undefined for a completion of unknown kind, or with fewer items than its kind has. */
function readMembers(values: readonly unknown[]): Members | undefined {
  const isCompletion = values[0] === 3;
  const layout = isCompletion
    ? COMPLETION_LAYOUTS.get(values[3])
    : (LAYOUTS.get(values[0]) ?? ["type"]);
  if (!layout || (isCompletion && values.length < layout.length)) return undefined;
  return Object.fromEntries(layout.map((name, at) => [name, values[at]]));
}
