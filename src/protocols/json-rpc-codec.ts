// JSON-RPC 2.0 on a WebSocket: the codec, and messages → text. Inbound text is read by decode-json-rpc.ts. The
// protocol's own methods begin with `$/`. `room` and `position` are siblings of `params`, where other JSON-RPC peers
// ignore them.

import { jsonRpcNumberOf } from "../model/error-table.ts";
import type { HubError } from "../model/errors.ts";
import type { Outgoing, OutgoingInvocation } from "../model/message.ts";
import { decodeJsonRpc } from "./decode-json-rpc.ts";
import { STATE_TARGET } from "../model/state-wire.ts";
import { toJson, toResultJson } from "./json.ts";
import type { Protocol } from "./protocol.ts";

/** The protocol of a room's WebSocket: frames may hold batches in both directions. */
export const jsonRpc: Protocol<string> = {
  ...{ name: "json-rpc", binding: "json-rpc" },
  ...{ decode: decodeJsonRpc, encode, join },
};

/** One message per frame, for libraries that read arrays only as answers to batches. */
export const jsonRpcSingle: Protocol<string> = {
  ...jsonRpc,
  name: "json-rpc-single",
  single: true,
};

/** Responses only, for clients on HTTP. */
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

/**
 * One message as text. Throws the errors of `toJson` for results and items that JSON cannot represent; the dispatcher
 * answers `internal`.
 */
function encode(message: Outgoing): string {
  switch (message.type) {
    case "invocation":
      return encodeInvocation(message);
    case "item":
      return notification(
        "$/item",
        `{"id":${JSON.stringify(message.id)},"item":${toResultJson(message.item)}}`,
      );
    case "completion":
      return response(message.id, `"result":${toResultJson(message.result)}`);
    case "failure":
      return response(message.id, `"error":${encodeError(message.error)}`);
    case "record":
      return message.record as string;
    case "batch":
      return encodeBatch(message.answers);
    case "control":
      return notification(`$/${message.name}`, toJson(message.params), roomMembers(message));
    case "state":
      return message.params === ""
        ? ""
        : notification(STATE_TARGET, message.params, roomMembers(message));
    // Stateful reconnect exists in SignalR only.
    case "ack":
    case "sequence":
      return "";
    default:
      return message satisfies never;
  }
}

/** On the path of every publication: `params` is encoded already, and inserted unchanged. */
function encodeInvocation(message: OutgoingInvocation): string {
  const id = message.id === undefined ? "" : `,"id":${JSON.stringify(message.id)}`;
  return notification(message.target, message.params, id + roomMembers(message));
}

const notification = (method: string, params: string, siblings = ""): string =>
  `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${params}${siblings}}`;

const response = (id: string | number | null, outcome: string): string =>
  `{"jsonrpc":"2.0","id":${JSON.stringify(id)},${outcome}}`;

/** The members `room` and `position`, each only if it is known. */
function roomMembers({ room, position }: Pick<OutgoingInvocation, "room" | "position">): string {
  const at = room === undefined ? "" : `,"room":${JSON.stringify(room)}`;
  return position === undefined ? at : `${at},"position":${JSON.stringify(position)}`;
}

/** The answers to a batch. Empty for a batch of notifications: JSON-RPC 2.0 §6 forbids an empty array. */
const encodeBatch = (answers: readonly Outgoing[]): string =>
  answers.length === 0 ? "" : `[${answers.map(encode).join(",")}]`;

/**
 * One frame of all records: a single record unchanged, otherwise one flat array. The elements of records that are
 * batches are inserted one by one, since JSON-RPC does not nest arrays.
 */
function join(records: readonly string[]): string {
  if (records.length === 1) return records[0]!;
  const filled = records.filter((record) => record !== "");
  if (filled.length < 2) return filled[0] ?? "";
  return `[${filled.map(flat).join(",")}]`;
}

const flat = (record: string): string => (record.startsWith("[") ? record.slice(1, -1) : record);

/** `action` is sent only if it was set on the error itself: the advice of codes is not always for callers. */
function encodeError({ code, message, action }: HubError): string {
  const data = JSON.stringify({ code, action });
  return `{"code":${jsonRpcNumberOf(code)},"message":${JSON.stringify(message)},"data":${data}}`;
}
