// JSON-RPC 2.0 as clients speak it: text → messages. Every element of a batch is judged by itself.

import { HubError } from "../model/errors.ts";
import { StreamRef, type CallId, type Incoming, type Received } from "../model/message.ts";
import { PING } from "../model/both-ends.ts";
import { type Limits } from "../model/options.ts";
import { depthError, hasPrototypeKey, mayHavePrototypeKey, sizeError } from "./hostile-json.ts";

/** Never throws; see `Protocol.decode`. */
export function decodeJsonRpc(frame: string | ArrayBuffer, limits: Limits): Received {
  if (typeof frame !== "string") return one(invalid(null, "JSON-RPC frames are text."));
  // Objects answer pings asleep; a dev server that does not hibernate hands them on.
  if (frame === PING) return { messages: [], batch: false };
  const refused = sizeError(frame, limits.messageBytes) ?? depthError(frame, limits.depth);
  if (refused) return one(malformed(null, refused));
  const value = parse(frame);
  if (value === undefined)
    return one(malformed(null, new HubError("malformed", "The frame is not JSON.")));
  return readFrame(value, mayHavePrototypeKey(frame), limits);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // A SyntaxError, the only thing JSON.parse throws; no JSON text means undefined.
  }
}

type Members = Readonly<Record<string, unknown>>;

function readFrame(value: unknown, suspicious: boolean, limits: Limits): Received {
  if (!Array.isArray(value)) return one(readMessage(value, suspicious));
  if (value.length === 0) return one(invalid(null, "A batch has at least one message."));
  if (value.length > limits.messagesPerFrame) return one(tooMany(value.length, limits));
  return { messages: value.map((element) => readMessage(element, suspicious)), batch: true };
}

function readMessage(value: unknown, suspicious: boolean): Incoming {
  if (!isObject(value)) return invalid(null, "A message is a JSON object.");
  if (suspicious && hasPrototypeKey(value))
    return invalid(value, "The key __proto__ is not accepted.");
  if (value.jsonrpc !== "2.0") return invalid(value, 'The member jsonrpc is "2.0".');
  return value.method === undefined ? readResponse(value) : readCall(value);
}

function readCall(message: Members): Incoming {
  const { id, method, idempotencyKey } = message;
  if (id !== undefined && !isCallId(id))
    return invalid(null, "An id is a string of at most 128 characters, a safe number or null.");
  if (!isName(method)) return invalid(message, "A method has 1–128 characters.");
  if (idempotencyKey !== undefined && !isName(idempotencyKey))
    return invalid(message, "An idempotencyKey has 1–128 characters.");
  const args = readArguments(message.params);
  if (!args) return invalid(message, "The member params is an array or an object.");
  const word = WORDS.get(method);
  if (word) return readWord(word, message);
  return {
    type: "invocation",
    target: method,
    args,
    ...(id !== undefined && { id }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  };
}

/** vscode-jsonrpc and StreamJsonRpc send a call's only argument, when it is an object, as `params` itself. */
function readArguments(params: unknown): readonly unknown[] | undefined {
  if (params === undefined) return [];
  if (Array.isArray(params)) return params.map(readArgument);
  return isObject(params) ? [readArgument(params)] : undefined;
}

/** `{"$stream": "s1"}` stands for a stream whose items will follow. */
function readArgument(value: unknown): unknown {
  if (!isObject(value)) return value;
  const { $stream } = value;
  return isName($stream) && Object.keys(value).length === 1 ? new StreamRef($stream) : value;
}

/** A notification that is no call: the protocol's own. `read` gives undefined for params of another shape. */
interface Word {
  readonly shape: string;
  readonly read: (params: Members) => Incoming | undefined;
}

const WORDS: ReadonlyMap<string, Word> = new Map<string, Word>([
  ["$/item", { shape: "$/item {stream, item}", read: readItem }],
  ["$/end", { shape: "$/end {stream, error?}", read: readEnd }],
  ["$/cancelRequest", { shape: "$/cancelRequest {id}", read: readCancel }],
]);

/** As a request it is refused: an answer would never come, because nothing is called. */
function readWord({ shape, read }: Word, message: Members): Incoming {
  const { id, params } = message;
  const word = id === undefined && isObject(params) ? read(params) : undefined;
  return word ?? invalid(message, `Expected the notification ${shape}.`);
}

function readItem({ stream, item }: Members): Incoming | undefined {
  return isName(stream) && item !== undefined ? { type: "item", stream, item } : undefined;
}

function readEnd({ stream, error }: Members): Incoming | undefined {
  if (!isName(stream)) return undefined;
  if (error === undefined) return { type: "end", stream };
  return typeof error === "string" ? { type: "end", stream, error: cut(error) } : undefined;
}

function readCancel({ id }: Members): Incoming | undefined {
  return isCallId(id) ? { type: "cancel", id } : undefined;
}

function readResponse(message: Members): Incoming {
  const { id, result, error } = message;
  const both = (result === undefined) === (error === undefined);
  if (both || !isCallId(id))
    return invalid(message, "A message has a method, or an id with either a result or an error.");
  if (error === undefined) return { type: "answer", id, result };
  if (isObject(error) && typeof error.message === "string")
    return { type: "refusal", id, message: cut(error.message) };
  return invalid(message, "An error has a message.");
}

const isObject = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isName = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= 128;

/** Numbers beyond 2⁵³ lose digits in JSON.parse: their answer would carry an id nobody asked with. */
const isCallId = (value: unknown): value is CallId =>
  value === null ||
  (typeof value === "string" && value.length <= 128) ||
  (typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER);

/** Texts of the client that may reach logs and other people's errors. */
const cut = (text: string): string => text.slice(0, 1000);

const one = (message: Incoming): Received => ({ messages: [message], batch: false });

const malformed = (id: CallId | undefined, error: HubError): Incoming => ({
  type: "malformed",
  ...(id !== undefined && { id }),
  error,
});

const invalid = (message: Members | null, sentence: string): Incoming =>
  malformed(
    message === null ? null : answerableId(message),
    new HubError("invalid_request", sentence),
  );

/**
 * A broken answer is refused without its id: that one is ours, and the client may have a call of the same id. What is a
 * notification by the specification is not answered at all: "The Server MUST NOT reply to a Notification".
 */
function answerableId(message: Members): CallId | undefined {
  const { id, method, result, error } = message;
  if (isNotification(message)) return undefined;
  const isAnswer = method === undefined && (result !== undefined || error !== undefined);
  return !isAnswer && isCallId(id) ? id : null;
}

const isNotification = ({ jsonrpc, id, method, params }: Members): boolean =>
  jsonrpc === "2.0" &&
  typeof method === "string" &&
  id === undefined &&
  (params === undefined || (typeof params === "object" && params !== null));

/** `too_large`, not `invalid_request`: the batch is well formed, and a client may send it again in parts. */
const tooMany = (count: number, { messagesPerFrame }: Limits): Incoming =>
  malformed(
    null,
    new HubError("too_large", `Batch of ${count} messages; ${messagesPerFrame} allowed.`),
  );
