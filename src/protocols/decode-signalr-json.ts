// SignalR's JSON as clients send it: text → messages. Each ends with 0x1E; a frame may hold several, and part of one.

import type { Incoming, Received } from "../model/message.ts";
import { PING } from "../model/both-ends.ts";
import { type Limits } from "../model/options.ts";
import { asBytes, asText, concat, restOf } from "./bytes.ts";
import { depthError, hasPrototypeKey, mayHavePrototypeKey, sizeError } from "./hostile-json.ts";
import { broken, messagesAllowed, readHubMessage } from "./hub-message.ts";
import { invalidData, tooDeep, tooLarge, tooMany } from "./signalr-errors.ts";

const SEPARATOR = "\u001e";

const PINGED: Received = { messages: [{ type: "ping" }], batch: false };

/** Never throws; see `Protocol.decode`. */
export function decodeSignalrJson(
  frame: string | ArrayBuffer,
  limits: Limits,
  rest: string | Uint8Array = "",
): Received {
  if (rest.length > 0) return readBytes(concat([asBytes(rest), asBytes(frame)]), limits);
  if (frame === PING) return PINGED;
  return typeof frame === "string" ? readText(frame, limits) : readBytes(asBytes(frame), limits);
}

function readText(text: string, limits: Limits): Received {
  const end = text.lastIndexOf(SEPARATOR) + 1;
  const messages = readRecords(text.slice(0, end), limits);
  if (end === text.length) return { messages, batch: false };
  const rest = text.slice(end);
  const isLarge = sizeError(rest, limits.messageBytes) !== undefined;
  return withRest(messages, isLarge ? undefined : asBytes(rest), limits);
}

/** 0x1E stands in no character of several bytes, so whole messages are whole text, wherever frames were cut. */
function readBytes(bytes: Uint8Array, limits: Limits): Received {
  const end = bytes.lastIndexOf(0x1e) + 1;
  const messages = readRecords(asText(bytes.subarray(0, end)), limits);
  const isLarge = bytes.length - end > limits.messageBytes;
  return withRest(messages, isLarge ? undefined : restOf(bytes, end), limits);
}

/** The rest is in bytes even of text: a slice of a string keeps the whole string in memory. */
function withRest(messages: Incoming[], rest: Uint8Array | undefined, limits: Limits): Received {
  if (messages.at(-1)?.type === "broken") return { messages, batch: false };
  if (!rest) return { messages: [...messages, broken(tooLarge(limits))], batch: false };
  return { messages, batch: false, ...(rest.length > 0 && { rest }) };
}

/** Up to the first that is broken. */
function readRecords(text: string, limits: Limits): Incoming[] {
  const messages: Incoming[] = [];
  const allowed = messagesAllowed(limits);
  for (let start = 0, count = 1; start < text.length; count++) {
    const end = text.indexOf(SEPARATOR, start);
    const isSurplus = count > allowed;
    const message = isSurplus
      ? broken(tooMany(allowed))
      : readRecord(text.slice(start, end), limits);
    if (message) messages.push(message);
    if (message?.type === "broken") break;
    start = end + 1;
  }
  return messages;
}

function readRecord(record: string, limits: Limits): Incoming | undefined {
  // The separator counts as a byte of its message.
  if (sizeError(record, limits.messageBytes - 1)) return broken(tooLarge(limits));
  const deep = depthError(record, limits.depth);
  if (deep) return broken(tooDeep(deep));
  const value = parse(record);
  if (value === undefined) return broken(invalidData("Error reading JSON."));
  if (mayHavePrototypeKey(record) && hasPrototypeKey(value))
    return broken(invalidData("The key __proto__ is not accepted."));
  return readHubMessage(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // A SyntaxError, the only thing JSON.parse throws; no JSON text means undefined.
  }
}
