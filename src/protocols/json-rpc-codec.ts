// JSON-RPC 2.0 on a WebSocket, both ways: the codec, and messages → text. Inbound text is decode-json-rpc.ts.
// Our own words are methods that begin with `$/`; `room` and `position` stand beside `params`, where peers ignore them.

import { jsonRpcNumberOf } from "../model/error-table.ts";
import type { HubError } from "../model/errors.ts";
import type { Outgoing, OutgoingInvocation } from "../model/message.ts";
import { decodeJsonRpc } from "./decode-json-rpc.ts";
import { toJson } from "./json.ts";
import type { Protocol } from "./protocol.ts";

export const jsonRpc: Protocol<string> = { name: "json-rpc", decode: decodeJsonRpc, encode, join };

/** For libraries that know no arrays but answers to batches: one message a frame. */
export const jsonRpcSingle: Protocol<string> = {
  ...jsonRpc,
  name: "json-rpc-single",
  single: true,
};

/** For a client that waits for its answers and hears nothing else: HTTP. */
export const jsonRpcAnswers: Protocol<string> = {
  ...jsonRpcSingle,
  name: "json-rpc-answers",
  answersOnly: true,
  encode: (message) => (ANSWERS.has(message.type) ? encode(message) : ""),
};

const ANSWERS: ReadonlySet<Outgoing["type"]> = new Set([
  "completion",
  "failure",
  "record",
  "batch",
]);

/** Throws where `toJson` does: on results and items that JSON cannot carry. The dispatcher answers `internal`. */
function encode(message: Outgoing): string {
  switch (message.type) {
    case "invocation":
      return encodeInvocation(message);
    case "item":
      return call("$/item", `{"id":${JSON.stringify(message.id)},"item":${toJson(message.item)}}`);
    case "completion":
      return response(message.id, `"result":${toJson(message.result)}`);
    case "failure":
      return response(message.id, `"error":${encodeError(message.error)}`);
    case "record":
      return message.record as string;
    case "batch":
      return encodeBatch(message.answers);
    case "control":
      return call(`$/${message.name}`, toJson(message.params), place(message));
    // Words of stateful reconnect: SignalR's only.
    case "ack":
    case "sequence":
      return "";
    default:
      return message satisfies never;
  }
}

/** The hot path of every publish: `params` is text already and stays as it is. */
function encodeInvocation(message: OutgoingInvocation): string {
  const id = message.id === undefined ? "" : `,"id":${JSON.stringify(message.id)}`;
  return call(message.target, message.params, id + place(message));
}

const call = (method: string, params: string, beside = ""): string =>
  `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${params}${beside}}`;

const response = (id: string | number | null, outcome: string): string =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},${outcome}}`;

function place({ room, position }: Pick<OutgoingInvocation, "room" | "position">): string {
  const at = room === undefined ? "" : `,"room":${JSON.stringify(room)}`;
  return position === undefined ? at : `${at},"position":${JSON.stringify(position)}`;
}

/** Of a batch of notifications nothing is answered: an empty array would be no JSON-RPC. */
const encodeBatch = (answers: readonly Outgoing[]): string =>
  answers.length === 0 ? "" : `[${answers.map(encode).join(",")}]`;

/** One frame is one flat array: records that are batches are spliced in, because arrays do not nest in JSON-RPC. */
function join(records: readonly string[]): string {
  if (records.length === 1) return records[0]!;
  const spoken = records.filter((record) => record !== "");
  if (spoken.length < 2) return spoken[0] ?? "";
  return `[${spoken.map(flat).join(",")}]`;
}

const flat = (record: string): string => (record.startsWith("[") ? record.slice(1, -1) : record);

function encodeError({ code, message }: HubError): string {
  const number = jsonRpcNumberOf(code);
  return `{"code":${number},"message":${JSON.stringify(message)},"data":{"code":${JSON.stringify(code)}}}`;
}
