// Bodies of service requests, by content type: JSON, MessagePack, or one invocation in the encodings of several SignalR
// protocols at once, as Azure's server SDKs send it. Size and depth are checked before a value exists.

import { HubError } from "../../model/errors.ts";
import { LIMITS } from "../../model/options.ts";
import { decodeSignalrJson } from "../../protocols/decode-signalr-json.ts";
import { decodeSignalrMsgpack } from "../../protocols/decode-signalr-msgpack.ts";
import { BEYOND_DOUBLES, overflowIn, parseExactJson } from "../../protocols/exact-json.ts";
import {
  hasPrototypeKey,
  isJsonObject,
  mayHavePrototypeKey,
  parseJson,
  scanJson,
  tooDeep,
} from "../../protocols/json.ts";
import { decodeExactly, UNREADABLE } from "../../protocols/msgpack-values.ts";
import { msgpackError } from "../../protocols/hostile-msgpack.ts";
import { bodyWithin, utf8Text } from "../admit/request-body.ts";
import type { BodyKind } from "./operation.ts";

/** Azure's own limit, in bytes. The message in a body is also subject to the hub's limit. */
const BODY_BYTES = 1024 * 1024;

/**
 * The body as a value that no schema has validated yet; undefined if a JSON body is empty. Throws `too_large`,
 * `malformed`, `too_deep` or `unsupported_media_type`.
 */
export async function readBody(
  request: Request,
  kind: BodyKind,
  most = BODY_BYTES,
): Promise<unknown> {
  const read = READERS.get(typeOf(request));
  if (!read || (kind === "json" && read !== readJson))
    throw new HubError("unsupported_media_type", MEDIA_TYPES[kind]);
  const value = read(new Uint8Array(await bodyWithin(request, most)));
  return kind === "message" && read === readJson ? camelMessage(value) : value;
}

/** Members of a message under the names of C#, as Azure's management SDK writes them. */
const PASCAL: ReadonlyMap<string, string> = new Map([
  ["Target", "target"],
  ["Arguments", "arguments"],
]);

/**
 * The message with camel-case names. A message that has a member under both names is refused: which of them counts
 * would be unclear.
 */
function camelMessage(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).map(([name, member]): [string, unknown] => [
    PASCAL.get(name) ?? name,
    member,
  ]);
  if (new Set(members.map(([name]) => name)).size < members.length)
    throw malformed("A message has target and arguments once.");
  return Object.fromEntries(members);
}

const MEDIA_TYPES = {
  json: "A body is application/json.",
  message: "A body is application/json, application/x-msgpack or application/octet-stream.",
} as const;

/** The media type without parameters; a request without one is read as JSON. */
const typeOf = ({ headers }: Request): string =>
  (headers.get("content-type") ?? "application/json").split(";")[0]!.trim().toLowerCase();

/** Decodes bytes to a value that no schema has validated yet. Throws `malformed` or `too_deep`. */
type Read = (bytes: Uint8Array) => unknown;

function readJson(bytes: Uint8Array): unknown {
  // The operation's schema decides whether a body may be absent.
  if (bytes.length === 0) return undefined;
  const text = textOf(bytes);
  const scan = scanJson(text, LIMITS.depth);
  if (scan === "deep") throw tooDeep(LIMITS.depth);
  const value = scan === "lossy" ? exactly(text) : parseJson(text);
  if (value === undefined) throw malformed("The body is no JSON.");
  // A key `__proto__` is harmless here, but would become a prototype in hub code that copies members.
  if (mayHavePrototypeKey(text) && hasPrototypeKey(value)) throw malformed("A key is __proto__.");
  return value;
}

function textOf(bytes: Uint8Array): string {
  const text = utf8Text(bytes);
  if (text === undefined) throw malformed("The body is no UTF-8.");
  return text;
}

/** Whole numbers that a JavaScript number cannot hold become bigints: in messages they are kept, elsewhere refused. */
function exactly(text: string): unknown {
  const value = parseExactJson(text);
  const path = overflowIn(value);
  if (!path) return value;
  const where = ["body", ...path].join(".").slice(0, 300);
  throw new HubError("invalid_arguments", `${where}: ${BEYOND_DOUBLES}`);
}

/** Checks the bytes before they are decoded: a few bytes of MessagePack can declare an array of 4 billion elements. */
function readMsgpack(bytes: Uint8Array): unknown {
  const error = msgpackError(bytes, LIMITS.depth);
  if (error) throw error;
  const value = decodeExactly(bytes);
  if (value === UNREADABLE) throw malformed("The body is no MessagePack that is read here.");
  return value;
}

/**
 * A MessagePack map from names of protocols to the same invocation in each encoding. Only the first known protocol is
 * read: that all encodings have the same message is not checked, as in Azure.
 */
function readPayloads(bytes: Uint8Array): unknown {
  const payloads = readMsgpack(bytes);
  if (typeof payloads === "object" && payloads !== null)
    for (const [name, read] of PROTOCOLS) {
      // Names come from the request: own members only.
      const payload: unknown = Object.hasOwn(payloads, name)
        ? (payloads as Record<string, unknown>)[name]
        : undefined;
      if (payload instanceof Uint8Array) return messageIn(read(payload));
    }
  throw malformed("The body has no invocation of the protocols json or messagepack.");
}

/** For the codecs, a message may be as long as the body: the hub's own limit is checked with the draft. */
const limits = { ...LIMITS, messageBytes: BODY_BYTES };
const PROTOCOLS = [
  ["json", (payload: Uint8Array) => decodeSignalrJson(textOf(payload), limits)],
  [
    "messagepack",
    (payload: Uint8Array) => decodeSignalrMsgpack(Uint8Array.from(payload).buffer, limits),
  ],
] as const;

/** The frame's one invocation, in the form of a JSON body. */
function messageIn({ messages: [message, ...others] }: ReturnType<typeof decodeSignalrJson>) {
  if (message?.type === "invocation" && others.length === 0) {
    if (message.unreadable) throw message.unreadable;
    return { target: message.target, arguments: message.args };
  }
  throw malformed("The payload is not one invocation.");
}

/** By media type, in lower case and without parameters. Any other type is 415. */
const READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["application/json", readJson],
  ["application/x-msgpack", readMsgpack],
  ["application/octet-stream", readPayloads],
]);

const malformed = (sentence: string) => new HubError("malformed", sentence);
