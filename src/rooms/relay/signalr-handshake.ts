// The SignalR handshake, a connection's first message: chooses its protocol, and whether it may be resumed.

import { CLOSE } from "../../model/errors.ts";
import {
  handshakeFrame,
  handshakeResponse,
  readHandshake,
  type Handshake,
} from "../../protocols/handshake.ts";
import { jsonName } from "../../protocols/signalr-json.ts";
import { msgpackName } from "../../protocols/signalr-msgpack.ts";
import { keepPartial, save, type Connection } from "../connection/connection.ts";
import { beginGreeting } from "../connection/stage.ts";
import type { RelayParts } from "./relay-parts.ts";

/**
 * True once the handshake is complete: the connection is greeting then. False if a part of it is still missing, or if
 * it was refused, which ends the connection with SignalR's own answer. Messages in the same frame wait until the
 * connection opens.
 */
export function shakeHands(
  parts: RelayParts,
  connection: Connection,
  frame: string | ArrayBuffer,
): boolean {
  const { connections, settings } = parts;
  const { rest, attached } = connection;
  const binary = attached.transport !== "ServerSentEvents";
  const result = readHandshake(frame, settings.limits, { binary, ...(rest && { rest }) });
  if (!keepPartial(connection, result.type === "incomplete" ? result.rest : undefined)) {
    connections.close(connection, CLOSE.busy);
    return false;
  }
  if (result.type === "handshake") agree(parts, connection, result);
  if (result.type !== "refused") return result.type === "handshake";
  const detail = settings.detailedErrors && result.detail ? ` ${result.detail}` : "";
  connections.refuse(connection, handshakeResponse(result.error + detail), [CLOSE.malformed]);
  return false;
}

/** Selects the protocol. The connection is resumable if that was negotiated, over WebSockets, with version 2. */
function agree(
  { connections, resumables, serverPings, settings }: RelayParts,
  connection: Connection,
  { protocol, version, rest }: Handshake & { type: "handshake" },
): void {
  const { signalR } = settings;
  const name = protocol === "json" ? jsonName(signalR) : msgpackName(signalR);
  save(connection, { protocol: name, deadline: undefined });
  const { statefulReconnect, transport } = connection.attached;
  const resumes = version === 2 && statefulReconnect && transport === undefined;
  if (resumes && settings.signalR.statefulReconnect) resumables.begin(connection);
  beginGreeting(connection, handshakeFrame(protocol));
  if (rest !== undefined) connections.delay(connection, rest);
  serverPings.begun(connection);
}
