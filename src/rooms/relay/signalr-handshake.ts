// A SignalR connection's first message: which protocol it speaks from then on, and whether it may be resumed.

import { CLOSE } from "../../model/errors.ts";
import {
  handshakeFrame,
  handshakeResponse,
  readHandshake,
  type Handshake,
} from "../../protocols/handshake.ts";
import { jsonName } from "../../protocols/signalr-json.ts";
import { msgpackName } from "../../protocols/signalr-msgpack.ts";
import { save, type Connection } from "../connection/connection.ts";
import { beginGreeting } from "../connection/stage.ts";
import type { RelayParts } from "./relay-parts.ts";

/** True once both sides have agreed; what cannot be agreed on ends the connection. */
export function shakeHands(
  parts: RelayParts,
  connection: Connection,
  frame: string | ArrayBuffer,
): boolean {
  const { connections, settings } = parts;
  const { rest, attached } = connection;
  const binary = attached.transport !== "ServerSentEvents";
  const shaken = readHandshake(frame, settings.limits, { binary, ...(rest && { rest }) });
  connection.rest = shaken.type === "incomplete" ? shaken.rest : undefined;
  if (shaken.type === "handshake") agree(parts, connection, shaken);
  if (shaken.type !== "refused") return shaken.type === "handshake";
  const detail = settings.detailedErrors && shaken.detail ? ` ${shaken.detail}` : "";
  connections.refuse(connection, handshakeResponse(shaken.error + detail), CLOSE.malformed);
  return false;
}

function agree(
  { resumables, settings }: RelayParts,
  connection: Connection,
  { protocol, version, rest }: Handshake & { type: "handshake" },
): void {
  const { signalR } = settings;
  const name = protocol === "json" ? jsonName(signalR) : msgpackName(signalR);
  save(connection, { protocol: name, deadline: undefined });
  const { negotiated, transport } = connection.attached;
  const resumes = version === 2 && negotiated && transport === undefined;
  if (resumes && settings.signalR.statefulReconnect) resumables.begin(connection);
  const { early } = beginGreeting(connection, handshakeFrame(protocol));
  if (rest !== undefined) early.push(rest);
}
