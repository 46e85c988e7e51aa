// Begins the connection of a JSON-RPC client of a whole hub at a relay: all its rooms are on one socket.

import { jsonRpc, jsonRpcSingle } from "../../protocols/json-rpc-codec.ts";
import { VERSION } from "../../model/package-version.ts";
import { traceAmong } from "../../model/trace.ts";
import { countClient } from "../observe/counters.ts";
import { connectionId } from "../rpc/object-names.ts";
import type { Connection } from "../connection/connection.ts";
import type { RelayParts } from "./relay-parts.ts";
import type { JsonRpcArrival } from "../rpc/arrival.ts";

/** Accepts the socket. `$/connected` is its first frame, with the connection's id and its user. */
export function acceptRpc(
  parts: RelayParts,
  socket: WebSocket,
  arrival: JsonRpcArrival,
): Connection {
  const { activity, address, agenda, connections, settings, sweepMs } = parts;
  const { user, request, arrays, pings, version, reportsTaken } = arrival;
  const now = Date.now();
  const connection = connections.accept(socket, {
    ...{ id: connectionId(address), user, request, openCalls: [], connectedAt: now, heardAt: now },
    protocol: (arrays ? jsonRpc : jsonRpcSingle).name,
    ...traceAmong(request.headers),
    ...(pings && { pings }),
    ...(reportsTaken && { reportsTaken }),
  });
  const { pingSeconds } = settings;
  countClient(activity.counters, version);
  const params = {
    ...{ connectionId: connection.id, userId: user.id, server: VERSION, pingSeconds },
    ...(reportsTaken && { reportsTaken }),
  };
  const hello = connection.protocol.encode({ type: "control", name: "connected", params });
  connections.send(connection, [hello]);
  agenda.arm(Math.min(user.expiresAt, now + sweepMs()));
  return connection;
}
