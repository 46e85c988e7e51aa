// SignalR's JSON hub protocol, both ways: the codec, and messages → text. Inbound text is decode-signalr-json.ts.
// Members that would be null are left out, and headers are never written: Java clients throw on both
// (docs/design/signalr-wire.md#ms4).

import type { CloseCode } from "../model/errors.ts";
import type { CallId, Encoded, Outgoing, OutgoingInvocation } from "../model/message.ts";
import { PING } from "../model/both-ends.ts";
import { asText } from "./bytes.ts";
import { decodeSignalrJson } from "./decode-signalr-json.ts";
import { toJson } from "./json.ts";
import type { Protocol } from "./protocol.ts";
import { closing, failureText, type Failure } from "./signalr-errors.ts";
import { writeTarget, type TargetNames } from "./signalr-targets.ts";

export function signalrJson(names: TargetNames): Protocol {
  return {
    name: names.verbatim ? "signalr-json-verbatim" : "signalr-json",
    decode: decodeSignalrJson,
    encode: (message) => encode(message, names),
    join,
    ping: PING,
    count,
    farewell,
  };
}

/** Throws where `toJson` does: on results and items that JSON cannot carry. The dispatcher answers `internal`. */
function encode(message: Outgoing, names: TargetNames): string {
  switch (message.type) {
    case "invocation":
      return encodeInvocation(message, names);
    case "item":
      return about(2, message.id, `,"item":${toJson(message.item)}`);
    case "completion":
      return about(3, message.id, outcome(message.result));
    case "failure":
      return about(3, message.id, failed(message));
    case "record":
      return ownText(message.record);
    case "ack":
      return `{"type":8,"sequenceId":${message.sequence}}\u001e`;
    case "sequence":
      return `{"type":9,"sequenceId":${message.sequence}}\u001e`;
    case "batch":
      return message.answers.map((answer) => encode(answer, names)).join("");
    case "control":
      return "";
    default:
      return message satisfies never;
  }
}

/** The hot path of every publish: `params` is text already and stays as it is. */
function encodeInvocation({ id, target, params }: OutgoingInvocation, names: TargetNames): string {
  const asked = id === undefined ? "" : `"invocationId":${JSON.stringify(id)},`;
  return `{"type":1,${asked}"target":${JSON.stringify(writeTarget(target, names))},"arguments":${params}}\u001e`;
}

const about = (type: number, id: CallId, members: string): string =>
  `{"type":${type},"invocationId":${JSON.stringify(String(id))}${members}}\u001e`;

/** The end of a stream has no result; a method that returns nothing has the result null. */
const outcome = (result: unknown): string =>
  result === undefined ? "" : `,"result":${toJson(result)}`;

/** Who cancelled is told that it is over, not that it failed. */
const failed = (failure: Failure): string =>
  failure.stage === "cancelling" ? "" : `,"error":${JSON.stringify(failureText(failure))}`;

const join = (records: readonly Encoded[]): string =>
  records.length === 1 ? ownText(records[0]!) : records.map(ownText).join("");

/** Records end in a character that JSON itself never holds. */
const count = (frame: Encoded): number => ownText(frame).split("\u001e").length - 1;

const ownText = (record: Encoded): string => (typeof record === "string" ? record : asText(record));

const farewell = (why: CloseCode, detail?: string): string =>
  `${JSON.stringify({ type: 7, ...closing(why, detail) })}\u001e`;
