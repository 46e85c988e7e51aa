// SignalR's MessagePack as clients send it: bytes → messages. Each has its length before it; a frame may hold several,
// and part of one. Arrays become the members that JSON would have, so that one reader judges both.

import { decode, decodeTimestampExtension, type DecoderOptions } from "@msgpack/msgpack";
import { HubError } from "../model/errors.ts";
import type { Incoming, Received } from "../model/message.ts";
import type { Limits } from "../model/options.ts";
import { asBytes, concat, restOf } from "./bytes.ts";
import { msgpackError } from "./hostile-msgpack.ts";
import { broken, messagesAllowed, readHubMessage, type Members } from "./hub-message.ts";
import { invalidData, tooDeep, tooLarge, tooMany } from "./signalr-errors.ts";

const NOTHING = new Uint8Array(0);

/** Never throws; see `Protocol.decode`. */
export function decodeSignalrMsgpack(
  frame: string | ArrayBuffer,
  limits: Limits,
  rest: string | Uint8Array = NOTHING,
): Received {
  const bytes = concat([asBytes(rest), asBytes(frame)]);
  const messages: Incoming[] = [];
  const allowed = messagesAllowed(limits);
  for (let at = 0, count = 1; at < bytes.length; count++) {
    const piece = count > allowed ? tooMany(allowed) : findPiece(bytes, at, limits);
    if (!piece) return { messages, batch: false, rest: restOf(bytes, at) };
    const message = piece instanceof HubError ? broken(piece) : readPiece(piece.payload, limits);
    if (message) messages.push(message);
    if (piece instanceof HubError || message?.type === "broken") break;
    at = piece.end;
  }
  return { messages, batch: false };
}

interface Piece {
  readonly payload: Uint8Array;
  /** Where the next one begins. */
  readonly end: number;
}

/** Undefined where it is not all there; its length is judged before anybody waits for its bytes. */
function findPiece(bytes: Uint8Array, at: number, limits: Limits): Piece | HubError | undefined {
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

/** Seven bits a byte, the lowest first; five bytes at most, which together are below 2³¹. */
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

function readPiece(payload: Uint8Array, limits: Limits): Incoming | undefined {
  if (payload.length === 2 && payload[0] === 0x91 && payload[1] === 6) return { type: "ping" };
  const hostile = msgpackError(payload, limits.depth);
  if (hostile) return broken(explained(hostile));
  const values = parse(payload);
  if (values === undefined) return broken(invalidData("Error reading MessagePack."));
  if (!Array.isArray(values)) return broken(invalidData("A message is an array."));
  const members = readMembers(owned(values) as unknown[]);
  return members ? readHubMessage(members) : broken(invalidData("Invalid invocation result kind."));
}

const explained = (error: HubError): HubError =>
  error.code === "too_deep" ? tooDeep(error) : invalidData(error.message);

/** Undefined where the payload is refused; no message is. */
function parse(payload: Uint8Array): unknown {
  try {
    return decode(payload, AS_JSON);
  } catch {
    // A DecodeError or a RangeError, all that the decoder throws: keys, times beyond those of Date. MessagePack that
    // is broken does not come here.
    return undefined;
  }
}

/** Hubs see what JSON would have shown them: times are ISO 8601 texts, and keys are texts. */
const AS_JSON: DecoderOptions = {
  extensionCodec: {
    decode: (data) => decodeTimestampExtension(data).toISOString(),
    tryToEncode: () => null,
  },
  mapKeyConverter: readKey,
  // The cache is shared by all connections of an isolate, and keeps what the first one made of ill-formed UTF-8.
  keyDecoder: null,
};

/** `__proto__` is refused by the decoder itself. */
function readKey(key: unknown): string {
  if (typeof key === "string") return key;
  throw new RangeError("A key is a string.");
}

/** Bytes are views of the frame: hubs would keep all of it alive, and see all of it in `.buffer`. In place. */
function owned(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return value.slice();
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    const held = holder[key];
    if (typeof held === "object" && held !== null) holder[key] = owned(held);
  }
  return holder;
}

const CALL = ["type", "headers", "invocationId", "target", "arguments", "streamIds"];

/** What stands where, by type. Items behind those are of later versions, and ignored. */
const LAYOUTS: ReadonlyMap<unknown, readonly string[]> = new Map([
  [1, CALL],
  [2, ["type", "headers", "invocationId", "item"]],
  [4, CALL],
  [5, ["type", "headers", "invocationId"]],
  [7, ["type", "error"]],
  [8, ["type", "sequenceId"]],
  [9, ["type", "sequenceId"]],
]);

/** Completions, by their kind: with an error, with nothing, with a result. */
const KINDS: ReadonlyMap<unknown, readonly string[]> = new Map([
  [1, ["type", "headers", "invocationId", "kind", "error"]],
  [2, ["type", "headers", "invocationId", "kind"]],
  [3, ["type", "headers", "invocationId", "kind", "result"]],
]);

/** Undefined for a completion of no known kind, or without what its kind promises. */
function readMembers(values: readonly unknown[]): Members | undefined {
  const isCompletion = values[0] === 3;
  const layout = isCompletion ? KINDS.get(values[3]) : (LAYOUTS.get(values[0]) ?? ["type"]);
  if (!layout || (isCompletion && values.length < layout.length)) return undefined;
  return Object.fromEntries(layout.map((name, at) => [name, values[at]]));
}
