// Decodes JSON-RPC 2.0 from clients: text → messages. Each element of a batch is accepted or refused on its own. The
// order of checks is size, depth, syntax, members.

import { HubError, errorText } from "../model/errors.ts";
import { StreamRef, type CallId, type Incoming, type Received } from "../model/message.ts";
import { isIdempotencyKey, MAX_IDEMPOTENCY_KEY, PING } from "../model/wire-constants.ts";
import type { Limits } from "../model/options.ts";
import {
  isJsonObject,
  parseJson,
  type Members,
  hasPrototypeKey,
  mayHavePrototypeKey,
  scanJson,
  sizeError,
  tooDeep,
} from "./json.ts";
import { argumentOverflow, BEYOND_DOUBLES, overflowIn, parseExactJson } from "./exact-json.ts";
import { isName } from "../model/topic.ts";

/** Never throws, as `Protocol.decode` requires. A refused message becomes a `malformed` one. */
export function decodeJsonRpc(frame: string | ArrayBuffer, limits: Limits): Received {
  if (typeof frame !== "string") return single(invalid(null, "JSON-RPC frames are text."));
  // Objects answer pings without waking; a dev server that does not hibernate delivers them.
  if (frame === PING) return { messages: [], batch: false };
  const tooLarge = sizeError(frame, limits.messageBytes);
  if (tooLarge) return single(malformed(null, tooLarge));
  const scan = scanJson(frame, limits.depth);
  if (scan === "deep") return single(malformed(null, tooDeep(limits.depth)));
  const isLossy = scan === "lossy";
  const value = isLossy ? parseExactJson(frame) : parseJson(frame);
  if (value === undefined)
    return single(malformed(null, new HubError("malformed", "The frame is not JSON.")));
  return readFrame(value, { mayPollute: mayHavePrototypeKey(frame), isLossy }, limits);
}

/** Contents of a frame for which its messages must be searched. */
interface Suspicion {
  /** The text may contain the key `__proto__`. */
  readonly mayPollute: boolean;
  /** The text may contain numbers that lost digits when they were parsed. */
  readonly isLossy: boolean;
}

/** One message, or a batch. An empty batch and one beyond the limit are refused as a whole. */
function readFrame(value: unknown, suspicion: Suspicion, limits: Limits): Received {
  if (!Array.isArray(value)) return single(readMessage(value, suspicion));
  if (value.length === 0) return single(invalid(null, "A batch has at least one message."));
  if (value.length > limits.messagesPerFrame) return single(tooMany(value.length, limits));
  return { messages: value.map((element) => readMessage(element, suspicion)), batch: true };
}

/** One message, read as JSON-RPC 2.0 requires. Unknown members are ignored, as JSON-RPC 2.0 §4 permits. */
function readMessage(value: unknown, { mayPollute, isLossy }: Suspicion): Incoming {
  if (!isJsonObject(value)) return invalid(null, "A message is a JSON object.");
  if (mayPollute && hasPrototypeKey(value))
    return invalid(value, "The key __proto__ is not accepted.");
  if (value.jsonrpc !== "2.0") return invalid(value, 'The member jsonrpc is "2.0".');
  const message = value.method === undefined ? readResponse(value) : readCall(value);
  return isLossy ? withoutOverflow(message) : message;
}

/** The message; if a number in it is out of the range of doubles, the failure of its call or item. */
function withoutOverflow(message: Incoming): Incoming {
  switch (message.type) {
    case "invocation": {
      const unreadable = argumentOverflow(message.args);
      if (!unreadable) return message;
      const { byName: _, ...call } = message;
      return { ...call, args: [], unreadable };
    }
    case "item":
      return overflowIn(message.item)
        ? { type: "end", stream: message.stream, error: BEYOND_DOUBLES }
        : message;
    case "answer":
      return overflowIn(message.result)
        ? { type: "refusal", id: message.id, message: BEYOND_DOUBLES }
        : message;
    default:
      return message;
  }
}

/** A request or notification. Checks run in this order: id, method, idempotency key, params. */
function readCall(message: Members): Incoming {
  const { id, method, idempotencyKey } = message;
  if (id !== undefined && !isCallId(id))
    return invalid(null, "An id is a string of at most 128 characters, a safe number or null.");
  if (!isName(method)) return invalid(message, "A method has 1–128 characters.");
  if (idempotencyKey !== undefined && !isIdempotencyKey(idempotencyKey))
    return invalid(message, `An idempotencyKey has 1–${MAX_IDEMPOTENCY_KEY} characters.`);
  const args = readArguments(message.params);
  if (!args) return invalid(message, "The member params is an array or an object.");
  const own = PROTOCOL_METHODS.get(method);
  if (own) return readProtocolMethod(own, message);
  return {
    type: "invocation",
    target: method,
    args,
    ...(message.params !== undefined && !Array.isArray(message.params) && { byName: true }),
    ...(id !== undefined && { id }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  };
}

/**
 * The arguments; undefined for `params` of another type. An object counts as a single argument, unless the hub names
 * its arguments: vscode-jsonrpc and StreamJsonRpc send either.
 */
function readArguments(params: unknown): readonly unknown[] | undefined {
  if (params === undefined) return [];
  if (Array.isArray(params)) return params.map(readArgument);
  return isJsonObject(params) ? [readArgument(params)] : undefined;
}

/** `{"$stream": "s1"}` is a placeholder for a stream whose items follow. */
function readArgument(value: unknown): unknown {
  if (typeof value !== "object" || !isJsonObject(value)) return value;
  const { $stream } = value;
  return isName($stream) && Object.keys(value).length === 1 ? new StreamRef($stream) : value;
}

/** A notification of the protocol itself. `read` returns undefined for params of another shape. */
interface ProtocolMethod {
  readonly shape: string;
  readonly read: (params: Members) => Incoming | undefined;
}

/** The protocol's own notifications, which dispatch never sees as calls. */
const PROTOCOL_METHODS: ReadonlyMap<string, ProtocolMethod> = new Map<string, ProtocolMethod>([
  ["$/item", { shape: "$/item {stream, item}", read: readItem }],
  ["$/end", { shape: "$/end {stream, error?}", read: readEnd }],
  ["$/cancelRequest", { shape: "$/cancelRequest {id}", read: readCancel }],
]);

/** As a request, with an id, it is refused: nothing is called, so that there would never be an answer. */
function readProtocolMethod({ shape, read }: ProtocolMethod, message: Members): Incoming {
  const { id, params } = message;
  const own = id === undefined && isJsonObject(params) ? read(params) : undefined;
  return own ?? invalid(message, `Expected the notification ${shape}.`);
}

function readItem({ stream, item }: Members): Incoming | undefined {
  return isName(stream) && item !== undefined ? { type: "item", stream, item } : undefined;
}

function readEnd({ stream, error }: Members): Incoming | undefined {
  if (!isName(stream)) return undefined;
  if (error === undefined) return { type: "end", stream };
  return typeof error === "string" ? { type: "end", stream, error: errorText(error) } : undefined;
}

function readCancel({ id }: Members): Incoming | undefined {
  return isCallId(id) ? { type: "cancel", id } : undefined;
}

/** The client's answer to a call of the server: a result or an error, never both. */
function readResponse(message: Members): Incoming {
  const { id, result, error } = message;
  const ambiguous = (result === undefined) === (error === undefined);
  if (ambiguous || !isCallId(id))
    return invalid(message, "A message has a method, or an id with either a result or an error.");
  if (error === undefined) return { type: "answer", id, result };
  if (isJsonObject(error) && typeof error.message === "string")
    return { type: "refusal", id, message: errorText(error.message) };
  return invalid(message, "An error has a message.");
}

/** Numbers beyond 2⁵³ lose digits in `JSON.parse`: the answer would carry another id than the request. */
const isCallId = (value: unknown): value is CallId =>
  value === null ||
  (typeof value === "string" && value.length <= 128) ||
  (typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER);

const single = (message: Incoming): Received => ({ messages: [message], batch: false });

/** `id` undefined: no answer is sent. */
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
 * The id with which a message is refused; undefined if JSON-RPC 2.0 §4.1 forbids an answer ("The Server MUST NOT reply
 * to a Notification"). A malformed response is refused with id null: its id is the server's own, and the client may use
 * the same id for a call.
 */
function answerableId(message: Members): CallId | undefined {
  const { id, method, result, error } = message;
  if (isNotification(message)) return undefined;
  const isAnswer = method === undefined && (result !== undefined || error !== undefined);
  return !isAnswer && isCallId(id) ? id : null;
}

/** Whether a message is a notification by the specification: no id, and otherwise well formed. */
const isNotification = ({ jsonrpc, id, method, params }: Members): boolean =>
  jsonrpc === "2.0" &&
  typeof method === "string" &&
  id === undefined &&
  (params === undefined || (typeof params === "object" && params !== null));

/** `too_large`, not `invalid_request`: the batch is well formed, and can be sent in parts. */
const tooMany = (count: number, { messagesPerFrame }: Limits): Incoming =>
  malformed(
    null,
    new HubError(
      "too_large",
      `Batch of ${count} messages; ${messagesPerFrame} allowed (limits.messagesPerFrame).`,
    ),
  );
