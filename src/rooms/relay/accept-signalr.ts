// Begins a SignalR client's connection at a relay, and resumes it on another socket.

import { HubError } from "../../model/errors.ts";
import { traceAmong } from "../../model/trace.ts";
import { isNewer } from "../../model/user.ts";
import { beforeHandshake } from "../../protocols/before-handshake.ts";
import { type Attached, checkFits } from "../connection/attachment.ts";
import type { Connection } from "../connection/connection.ts";
import type { SignalRArrival } from "../rpc/arrival.ts";
import type { ClassifiedArrival } from "./classify-arrival.ts";
import type { RelayParts } from "./relay-parts.ts";

type FreshArrival = ClassifiedArrival & { kind: "fresh" };

/** Time in which a client that resumes must send its Sequence message. */
const RESUME_MS = 5_000;

/**
 * Accepts the socket, whose handshake must come within `handshakeSeconds`. Answers a first poll at once instead.
 */
export function acceptSignalR(
  parts: RelayParts,
  socket: WebSocket,
  arrived: FreshArrival,
): Connection | Response {
  const { arrival } = arrived;
  const attached = attachedOf(parts, arrived);
  if (arrival.transport === "LongPolling") return parts.polls.begin(attached);
  const connection = parts.connections.accept(socket, attached);
  parts.agenda.arm(Math.min(arrival.user.expiresAt, attached.deadline!));
  return connection;
}

function attachedOf({ settings }: RelayParts, { id, arrival, traits }: FreshArrival): Attached {
  const { user, request, client, transport, reportsTaken } = arrival;
  const now = Date.now();
  const deadline = now + settings.signalR.handshakeSeconds * 1000;
  return {
    ...{ id, protocol: beforeHandshake.name, user, request, deadline, openCalls: [] },
    ...{ connectedAt: now, heardAt: now },
    ...traceAmong(request.headers),
    ...(traits.statefulReconnect && { statefulReconnect: true as const }),
    ...(traits.pings && { serverPings: "none" as const }),
    ...(client !== undefined && { client }),
    ...(transport && { transport }),
    ...(reportsTaken && { reportsTaken }),
  };
}

/**
 * Whether the token of a returning client is newer. Throws `wrong_kind` for another transport, `duplicate_id` if the
 * connection cannot be resumed, `too_large` if the newer token's claims do not fit.
 */
export function checkReturn(connection: Connection, { user, transport }: SignalRArrival): boolean {
  if (connection.attached.transport !== transport)
    throw new HubError("wrong_kind", "Cannot change transports mid-connection");
  if (transport !== "LongPolling" && !connection.resumable)
    throw new HubError("duplicate_id", "This connection has its socket.");
  const hasNewerToken = isNewer(user, connection.user);
  if (hasNewerToken) checkFits({ ...connection.attached, user });
  return hasNewerToken;
}

/** Attaches another socket to the connection: its next poll, or a stateful reconnect. */
export function resume(
  { agenda, remembered, resumables }: RelayParts,
  connection: Connection,
  socket: WebSocket,
): void {
  const now = Date.now();
  if (connection.attached.transport === "LongPolling")
    return resumables.attachPoll(connection, socket, now);
  const deadline = now + RESUME_MS;
  remembered?.forget(connection);
  // The runtime's record of pings has gone with the socket that was lost.
  resumables.reattach(connection, socket, { deadline, heardAt: now });
  connection.heardAt = now;
  agenda.arm(deadline);
}
