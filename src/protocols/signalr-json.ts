// SignalR's JSON hub protocol: the codec, and messages → text. Inbound text is read by decode-signalr-json.ts. Null
// members are omitted and headers never written: Java clients throw on both (docs/design/signalr-wire.md#ms4).

import type { CloseCode } from "../model/errors.ts";
import type { CallId, Encoded, Outgoing, OutgoingInvocation } from "../model/message.ts";
import { PING } from "../model/wire-constants.ts";
import { asText } from "./bytes.ts";
import { decodeSignalrJson } from "./decode-signalr-json.ts";
import { toExactJson } from "./json.ts";
import type { Protocol } from "./protocol.ts";
import { closeMessageOf, failureText, type Failure } from "./signalr-errors.ts";
import type { StateNames } from "../model/state-wire.ts";
import { stateInvocation } from "./state-invocation.ts";

/** The spelling of client methods for SignalR clients, in every encoding. */
export interface TargetNames {
  /** Whether targets keep the hub's spelling. Otherwise they are in PascalCase, as .NET applications register them. */
  readonly verbatim: boolean;
}

/** The codec's name. It is stored with connections, and must never change. */
export const jsonName = ({ verbatim }: TargetNames): string =>
  verbatim ? "signalr-json-verbatim" : "signalr-json";

/** The codec for one spelling of client methods. */
export function signalrJson(names: TargetNames): Protocol {
  return {
    name: jsonName(names),
    binding: "json",
    decode: decodeSignalrJson,
    encode: (message, state) => encode(message, names, state),
    join,
    ping: PING,
    count,
    farewell,
  };
}

/**
 * One message as text. Throws the errors of `toExactJson` for results and items that JSON cannot represent; the
 * dispatcher answers `internal`.
 */
function encode(message: Outgoing, names: TargetNames, state?: StateNames): string {
  switch (message.type) {
    case "invocation":
      return encodeInvocation(message, names);
    case "item":
      return invocationMessage(2, message.id, `,"item":${toExactJson(message.item)}`);
    case "completion":
      return invocationMessage(3, message.id, resultMember(message.result));
    case "failure":
      return invocationMessage(3, message.id, errorMember(message));
    case "record":
      return ownText(message.record);
    case "ack":
      return `{"type":8,"sequenceId":${message.sequence}}\u001e`;
    case "sequence":
      return `{"type":9,"sequenceId":${message.sequence}}\u001e`;
    case "batch":
      return message.answers.map((answer) => encode(answer, names)).join("");
    case "state": {
      const invocation = stateInvocation(message, state);
      return invocation ? encodeInvocation(invocation, names) : "";
    }
    case "control":
      return "";
    default:
      return message satisfies never;
  }
}

/** On the path of every publication: `params` is encoded already, and inserted unchanged. */
function encodeInvocation({ id, target, params }: OutgoingInvocation, names: TargetNames): string {
  const idMember = id === undefined ? "" : `"invocationId":${JSON.stringify(id)},`;
  return `{"type":1,${idMember}"target":${JSON.stringify(writeTarget(target, names))},"arguments":${params}}\u001e`;
}

/** The target on the wire. Clients of .NET, Java and Swift compare the case of names; JavaScript's does not. */
export const writeTarget = (target: string, { verbatim }: TargetNames): string =>
  verbatim ? target : target.charAt(0).toUpperCase() + target.slice(1);

/** A message about one invocation. Ids are texts in SignalR. */
const invocationMessage = (type: number, id: CallId, members: string): string =>
  `{"type":${type},"invocationId":${JSON.stringify(String(id))}${members}}\u001e`;

/** The end of a stream has no result. A method without a return value has the result null. */
const resultMember = (result: unknown): string =>
  result === undefined ? "" : `,"result":${toExactJson(result)}`;

/** A caller that cancelled gets a Completion without an error. */
const errorMember = (failure: Failure): string =>
  failure.stage === "cancelling" ? "" : `,"error":${JSON.stringify(failureText(failure))}`;

/** One frame of all records: they end with separators, and are joined with nothing between. */
const join = (records: readonly Encoded[]): string =>
  records.length === 1 ? ownText(records[0]!) : records.map(ownText).join("");

/** The number of messages in a frame. JSON itself never contains the separator. */
const count = (frame: Encoded): number => ownText(frame).split("\u001e").length - 1;

const ownText = (record: Encoded): string => (typeof record === "string" ? record : asText(record));

/** A Close message. Its `error` and `allowReconnect` show the client the reason, and whether to reconnect. */
const farewell = (why: CloseCode, detail?: string): string =>
  `${JSON.stringify({ type: 7, ...closeMessageOf(why, detail) })}\u001e`;
