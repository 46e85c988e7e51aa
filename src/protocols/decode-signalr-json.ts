// Decodes SignalR's JSON from clients: text → messages. A message ends with 0x1E; a frame may have several messages,
// and parts of messages. The order of checks is size, depth, syntax, members.

import type { Incoming, Received } from "../model/message.ts";
import { PING } from "../model/wire-constants.ts";
import type { Limits } from "../model/options.ts";
import type { HubError } from "../model/errors.ts";
import { argumentOverflow, BEYOND_DOUBLES, overflowIn, parseExactJson } from "./exact-json.ts";
import {
  firstObject,
  hasPrototypeKey,
  isJsonObject,
  mayHavePrototypeKey,
  parseJson,
  scanJson,
  sizeError,
  tooDeep,
} from "./json.ts";
import { append, asBytes, asText, concat, restOf } from "./bytes.ts";
import { brokenMessage, maxMessagesPerFrame, readHubMessage } from "./hub-message.ts";
import {
  invalidData,
  tooLarge,
  tooMany,
  unreadableValue,
  withNetDetail,
} from "./signalr-errors.ts";

const SEPARATOR = "\u001e";

const PING_RECEIVED: Received = { messages: [{ type: "ping" }], batch: false };

/** Never throws, as `Protocol.decode` requires. Decoding stops at the first `broken` message. */
export function decodeSignalrJson(
  frame: string | ArrayBuffer,
  limits: Limits,
  rest: string | Uint8Array = "",
): Received {
  if (rest.length > 0) return readMore(asBytes(rest), asBytes(frame), limits);
  if (frame === PING) return PING_RECEIVED;
  return typeof frame === "string" ? readText(frame, limits) : readBytes(asBytes(frame), limits);
}

/** Reads a text frame. A separator never splits a surrogate pair: if the frame is well formed, both parts are. */
function readText(text: string, limits: Limits): Received {
  const end = text.lastIndexOf(SEPARATOR) + 1;
  const messages = readRecords(text.slice(0, end), limits);
  if (end === text.length) return { messages, batch: false };
  const rest = text.slice(end);
  const isLarge = sizeError(rest, limits.messageBytes) !== undefined;
  return withRest(messages, isLarge ? undefined : asBytes(rest), limits);
}

/** Reads more of a message that has begun. Only the new bytes are searched for its end. */
function readMore(begun: Uint8Array, more: Uint8Array, limits: Limits): Received {
  if (more.includes(0x1e)) return readBytes(concat([begun, more]), limits);
  const isLarge = begun.length + more.length > limits.messageBytes;
  return withRest([], isLarge ? undefined : append(begun, more, limits.messageBytes), limits);
}

/** Reads bytes. UTF-8 has 0x1E in no multi-byte character: complete messages are complete text in any frames. */
function readBytes(bytes: Uint8Array, limits: Limits): Received {
  const end = bytes.lastIndexOf(0x1e) + 1;
  const messages = readRecords(asText(bytes.subarray(0, end)), limits);
  const isLarge = bytes.length - end > limits.messageBytes;
  return withRest(messages, isLarge ? undefined : restOf(bytes, end), limits);
}

/**
 * The rest is kept as bytes: a slice of a string would keep the whole string in memory. An oversized rest is refused
 * before its end arrives.
 */
function withRest(messages: Incoming[], rest: Uint8Array | undefined, limits: Limits): Received {
  if (messages.at(-1)?.type === "broken") return { messages, batch: false };
  if (!rest) return { messages: [...messages, brokenMessage(tooLarge(limits))], batch: false };
  return { messages, batch: false, ...(rest.length > 0 && { rest }) };
}

/** The records of a text, up to the first `broken` one. The text ends with a separator. */
function readRecords(text: string, limits: Limits): Incoming[] {
  const messages: Incoming[] = [];
  const allowed = maxMessagesPerFrame(limits);
  for (let start = 0, count = 1; start < text.length; count++) {
    const end = text.indexOf(SEPARATOR, start);
    const isSurplus = count > allowed;
    const message = isSurplus
      ? brokenMessage(tooMany(allowed))
      : readRecord(text.slice(start, end), limits);
    if (message) messages.push(message);
    if (message?.type === "broken") break;
    start = end + 1;
  }
  return messages;
}

/** One message without its separator; undefined for an unknown type. */
function readRecord(record: string, limits: Limits): Incoming | undefined {
  // The separator counts towards the size of its message.
  if (sizeError(record, limits.messageBytes - 1)) return brokenMessage(tooLarge(limits));
  const scan = scanJson(record, limits.depth);
  if (scan === "deep") return brokenMessage(withNetDetail(tooDeep(limits.depth)));
  const value = scan === "lossy" ? parseExactJson(record) : parseJson(record);
  if (value === undefined) return readBeginning(record, limits);
  const isSuspect = scan === "lossy" || mayHavePrototypeKey(record);
  return readHubMessage(value, isSuspect ? unreadable(value) : undefined);
}

/** The object that begins a record which is no JSON as a whole. Text behind it is ignored, as in ASP.NET Core. */
function readBeginning(record: string, limits: Limits): Incoming | undefined {
  const first = firstObject(record);
  return first.length < record.length
    ? readRecord(first, limits)
    : brokenMessage(invalidData("Error reading JSON."));
}

/** Why the arguments, item or result of a message cannot be read; undefined if they can. */
function unreadable(value: unknown): HubError | undefined {
  if (!isJsonObject(value)) return undefined;
  const { arguments: args, item, result } = value;
  if (hasPrototypeKey([args, item, result]))
    return unreadableValue("The key __proto__ is not accepted.");
  if (overflowIn([item, result])) return unreadableValue(BEYOND_DOUBLES);
  return Array.isArray(args) ? argumentOverflow(args) : undefined;
}
