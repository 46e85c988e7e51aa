// The handshake of a SignalR connection, which selects the protocol of all later messages. The handshake itself is JSON
// with 0x1E at its end in both directions, for every protocol (HubProtocol.md of dotnet/aspnetcore). Errors have the
// texts of ASP.NET Core (docs/design/signalr-wire.md#hs1).

import type { Encoded } from "../model/message.ts";
import type { Limits } from "../model/options.ts";
import { parseWithInts } from "./exact-json.ts";
import { firstObject, isJsonObject, sizeError } from "./json.ts";
import { append, asBytes, asText } from "./bytes.ts";
import { unexpectedToken } from "./hub-message.ts";

type HubProtocolName = "json" | "messagepack";

export type Handshake =
  /** The end has not arrived: `rest` must be passed to the next call. */
  | { readonly type: "incomplete"; readonly rest: Uint8Array }
  | {
      readonly type: "handshake";
      readonly protocol: HubProtocolName;
      readonly version: number;
      /** The remainder of the frame, to be decoded with the selected protocol. */
      readonly rest?: string | ArrayBuffer;
    }
  /** `detail` follows the error after a space, for hubs with detailed errors. */
  | { readonly type: "refused"; readonly error: string; readonly detail?: string };

interface HandshakeOptions {
  /** Whether the transport carries bytes. Server-Sent Events do not. */
  readonly binary: boolean;
  /** The `rest` of the last call. */
  readonly rest?: string | Uint8Array;
}

/** Reads the request. Never throws. Text and binary frames are treated alike: clients send either for each protocol. */
export function readHandshake(
  frame: string | ArrayBuffer,
  { messageBytes }: Pick<Limits, "messageBytes">,
  { binary, rest = "" }: HandshakeOptions,
): Handshake {
  const begun = asBytes(rest);
  const isText = typeof frame === "string" && begun.length === 0;
  const whole = isText ? frame : append(begun, asBytes(frame), messageBytes);
  const { text, after } =
    typeof whole === "string"
      ? splitText(whole, messageBytes)
      : splitBytes(whole, messageBytes, begun.length);
  if (text === undefined) return CANCELED;
  if (after === undefined) return { type: "incomplete", rest: asBytes(whole) };
  const request = readRequest(text);
  if (request.type === "refused") return request;
  return selectProtocol(request, binary, after);
}

interface Split {
  /** The request; undefined if it is too large. */
  readonly text?: string;
  /** The remainder; undefined if the end has not arrived. */
  readonly after?: string | ArrayBuffer;
}

/** Splits at the first separator. The request with its separator counts towards the limit. */
function splitText(whole: string, limit: number): Split {
  const end = whole.indexOf("\u001e");
  const text = end === -1 ? whole : whole.slice(0, end);
  if (sizeError(text, end === -1 ? limit : limit - 1)) return {};
  return end === -1 ? { text } : { text, after: whole.slice(end + 1) };
}

/** The same; the bytes before `from` have no separator. */
function splitBytes(whole: Uint8Array, limit: number, from: number): Split {
  const end = whole.indexOf(0x1e, from);
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

/** The members of the request. Unknown members are ignored, and text that follows the object, as in ASP.NET Core. */
function readRequest(text: string): Request | Refused {
  const message = parseWithInts(text) ?? parseWithInts(firstObject(text));
  if (message === undefined) return unreadable("Error reading JSON.");
  if (!isJsonObject(message))
    return unreadable(`${unexpectedToken(message)}. Expected a JSON Object.`);
  const { protocol, version } = message;
  if (protocol === undefined) return missingProperty("protocol", text);
  if (typeof protocol !== "string") return unreadable("Expected 'protocol' to be of type String.");
  if (version === undefined || version === null) return missingProperty("version", text);
  if (typeof version !== "number") return unreadable("Expected 'version' to be of type Number.");
  if (Number.isNaN(version)) return unreadable(NO_INT, "FormatException");
  return { type: "request", protocol, version };
}

/** Checks in the order of ASP.NET Core: protocol, version, transport. */
function selectProtocol(request: Request, binary: boolean, after: string | ArrayBuffer): Handshake {
  const { version } = request;
  const protocol = PROTOCOLS.get(request.protocol.toLowerCase());
  if (!protocol) return refused(`The protocol '${request.protocol}' is not supported.`);
  // A negative version passes, as in ASP.NET Core.
  if (version > 2)
    return refused(`The server does not support version ${version} of the '${protocol}' protocol.`);
  if (protocol === "messagepack" && !binary) return refused(NOT_BINARY);
  const isEmpty = typeof after === "string" ? after === "" : after.byteLength === 0;
  return { type: "handshake", protocol, version, ...(!isEmpty && { rest: after }) };
}

/** Names are compared without regard to case, as in ASP.NET Core. */
const PROTOCOLS: ReadonlyMap<string, HubProtocolName> = new Map([
  ["json", "json"],
  ["messagepack", "messagepack"],
]);

const NOT_BINARY =
  "Cannot use the 'messagepack' protocol on the current transport. The transport does not support 'Binary' transfer format.";

const refused = (error: string): Refused => ({ type: "refused", error });

const CANCELED: Refused = refused("Handshake was canceled.");

/** ASP.NET Core's answer to a request that it cannot read. */
const unreadable = (sentence: string, exception = "InvalidDataException"): Refused => ({
  type: "refused",
  error: "An unexpected error occurred during connection handshake.",
  detail: `${exception}: ${sentence}`,
});

const NO_INT =
  "Either the JSON value is not in a supported format, or is out of bounds for an Int32.";

const missingProperty = (name: string, text: string): Refused =>
  unreadable(`Missing required property '${name}'. Message content: ${text}`);

/** The handshake response. After an error the socket is closed, without a Close message. */
export const handshakeResponse = (error?: string): string =>
  `${JSON.stringify(error === undefined ? {} : { error })}\u001e`;

/** The response in the frame type of the protocol: .NET and Java clients accept no text frame for MessagePack. */
export const handshakeFrame = (protocol: HubProtocolName, error?: string): Encoded =>
  protocol === "json" ? handshakeResponse(error) : asBytes(handshakeResponse(error));
