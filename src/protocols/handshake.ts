// The first message of a SignalR connection: which protocol follows. JSON and 0x1E, whatever follows
// (docs/design/signalr-wire.md#hs1).

import type { Encoded } from "../model/message.ts";
import type { Limits } from "../model/options.ts";
import { asBytes, asText, concat } from "./bytes.ts";
import { sizeError } from "./hostile-json.ts";
import { isObject, unexpected, type Members } from "./hub-message.ts";

export type HubProtocolName = "json" | "messagepack";

export type Handshake =
  /** No end yet: to be given again, with the next frame. */
  | { readonly type: "incomplete"; readonly rest: Uint8Array }
  | {
      readonly type: "handshake";
      readonly protocol: HubProtocolName;
      readonly version: number;
      /** What stood behind it in the frame, to be decoded as one. */
      readonly rest?: string | ArrayBuffer;
    }
  /** `detail` is for hubs that show their callers details: after a space. */
  | { readonly type: "refused"; readonly error: string; readonly detail?: string };

export interface HandshakeOptions {
  /** Whether the transport carries bytes; Server-Sent Events do not. */
  readonly binary: boolean;
  /** What the frame before left over. */
  readonly rest?: string | Uint8Array;
}

/** Never throws. Text and Binary frames alike: clients send either, whatever protocol they ask for. */
export function readHandshake(
  frame: string | ArrayBuffer,
  { messageBytes }: Pick<Limits, "messageBytes">,
  { binary, rest = "" }: HandshakeOptions,
): Handshake {
  const isText = typeof frame === "string" && rest.length === 0;
  const whole = isText ? frame : concat([asBytes(rest), asBytes(frame)]);
  const { text, after } = split(whole, messageBytes);
  if (text === undefined) return CANCELED;
  if (after === undefined) return { type: "incomplete", rest: asBytes(whole).slice() };
  const request = readRequest(text);
  if (request.type === "refused") return request;
  return choose(request, binary, after);
}

interface Split {
  /** Undefined where it is too large. */
  readonly text?: string;
  /** Undefined where the end is still to come. */
  readonly after?: string | ArrayBuffer;
}

function split(whole: string | Uint8Array, limit: number): Split {
  return typeof whole === "string" ? splitText(whole, limit) : splitBytes(whole, limit);
}

function splitText(whole: string, limit: number): Split {
  const end = whole.indexOf("\u001e");
  const text = end === -1 ? whole : whole.slice(0, end);
  if (sizeError(text, end === -1 ? limit : limit - 1)) return {};
  return end === -1 ? { text } : { text, after: whole.slice(end + 1) };
}

function splitBytes(whole: Uint8Array, limit: number): Split {
  const end = whole.indexOf(0x1e);
  if ((end === -1 ? whole.length : end + 1) > limit) return {};
  if (end === -1) return { text: "" };
  const text = asText(whole.subarray(0, end));
  return { text, after: new Uint8Array(whole.subarray(end + 1)).buffer };
}

interface Request {
  readonly type: "request";
  readonly protocol: string;
  readonly version: number;
}

type Refused = Extract<Handshake, { type: "refused" }>;

function readRequest(text: string): Request | Refused {
  const message = parse(text);
  if (message === undefined) return unreadable("Error reading JSON.");
  if (!isObject(message)) return unreadable(`${unexpected(message)}. Expected a JSON Object.`);
  const { protocol, version } = message as Members;
  if (protocol === undefined) return missing("protocol", text);
  if (typeof protocol !== "string") return unreadable("Expected 'protocol' to be of type String.");
  if (version === undefined || version === null) return missing("version", text);
  if (!isInteger(version)) return unreadable("Expected 'version' to be of type Number.");
  return { type: "request", protocol, version };
}

/** In the order of ASP.NET Core: the protocol, its version, whether the transport can carry it. */
function choose(request: Request, binary: boolean, after: string | ArrayBuffer): Handshake {
  const { version } = request;
  const protocol = PROTOCOLS.get(request.protocol.toLowerCase());
  if (!protocol) return refused(`The protocol '${request.protocol}' is not supported.`);
  if (version < 0 || version > 2)
    return refused(`The server does not support version ${version} of the '${protocol}' protocol.`);
  if (protocol === "messagepack" && !binary) return refused(NOT_BINARY);
  const isEmpty = typeof after === "string" ? after === "" : after.byteLength === 0;
  return { type: "handshake", protocol, version, ...(!isEmpty && { rest: after }) };
}

const PROTOCOLS: ReadonlyMap<string, HubProtocolName> = new Map([
  ["json", "json"],
  ["messagepack", "messagepack"],
]);

const NOT_BINARY =
  "Cannot use the 'messagepack' protocol on the current transport. The transport does not support 'Binary' transfer format.";

const refused = (error: string): Refused => ({ type: "refused", error });

const CANCELED: Refused = refused("Handshake was canceled.");

const unreadable = (sentence: string): Refused => ({
  type: "refused",
  error: "An unexpected error occurred during connection handshake.",
  detail: `InvalidDataException: ${sentence}`,
});

const missing = (name: string, text: string): Refused =>
  unreadable(`Missing required property '${name}'. Message content: ${text}`);

const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // A SyntaxError, the only thing JSON.parse throws; no JSON text means undefined.
  }
}

/** The server's answer. After an error the socket is closed, without a Close message. */
export const handshakeResponse = (error?: string): string =>
  `${JSON.stringify(error === undefined ? {} : { error })}\u001e`;

/** The answer in the frame that the protocol's clients read: .NET and Java take no Text for MessagePack. */
export const handshakeFrame = (protocol: HubProtocolName, error?: string): Encoded =>
  protocol === "json" ? handshakeResponse(error) : asBytes(handshakeResponse(error));
