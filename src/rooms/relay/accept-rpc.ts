// Begins the connection of a JSON-RPC client of a whole hub at a relay: all its rooms are on one socket.

import { jsonRpc, jsonRpcSingle } from "../../protocols/json-rpc-codec.ts";
import { VERSION } from "../../model/package-version.ts";
import { traceAmong } from "../../model/trace.ts";
import { acceptJsonRpc } from "../object/begin-json-rpc.ts";
import type { Connection } from "../connection/connection.ts";
import type { RelayParts } from "./relay-parts.ts";
import type { JsonRpcArrival } from "../rpc/arrival.ts";

/** Accepts the socket. `$/connected` is its first frame, with the connection's id and its user. */
export function acceptRpc(
  parts: RelayParts,
  socket: WebSocket,
  arrival: JsonRpcArrival,
): Connection {
  const { connections, settings } = parts;
  const { user, request, arrays, reportsTaken } = arrival;
  const protocol = (arrays ? jsonRpc : jsonRpcSingle).name;
  const reports = reportsTaken && { reportsTaken };
  const about = { protocol, request, ...traceAmong(request.headers), ...reports };
  const connection = acceptJsonRpc(parts, socket, { arrival, about });
  const { pingSeconds } = settings;
  const params = {
    ...{ connectionId: connection.id, userId: user.id, server: VERSION, pingSeconds },
    ...reports,
  };
  const hello = connection.protocol.encode({ type: "control", name: "connected", params });
  connections.send(connection, [hello]);
  return connection;
}
