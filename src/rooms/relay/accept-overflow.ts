// Begins a connection to a full room at one of the room's relays, which follows the room for it. The client gets the
// same frames as from the room's own object.

import { parseTopic } from "../../model/topic.ts";
import { traceOf } from "../../model/trace.ts";
import { jsonRpc } from "../../protocols/json-rpc-codec.ts";
import type { Connection } from "../connection/connection.ts";
import { acceptJsonRpc, framesOf } from "../object/begin-json-rpc.ts";
import { countReplay } from "../observe/counters.ts";
import type { OverflowArrival } from "../rpc/arrival.ts";
import type { PresenceView } from "../rpc/presence-view.ts";
import type { RelayParts } from "./relay-parts.ts";

/** Accepts the socket. All messages to it are held until `followRoom` has sent its first frames. */
export function acceptOverflow(
  parts: RelayParts,
  socket: WebSocket,
  arrival: OverflowArrival,
): Connection {
  const about = { protocol: jsonRpc.name, room: arrival.room, ...traceOf(arrival) };
  return acceptJsonRpc(parts, socket, { arrival, about });
}

/**
 * Joins the room and sends the same first frames as the room itself. No entry is missing or repeated between the replay
 * and live messages. Rejects with the errors of the room's object.
 */
export async function followRoom(
  parts: RelayParts,
  connection: Connection,
  { room, since, previous }: OverflowArrival,
): Promise<void> {
  const { connections, activity, followed, settings } = parts;
  const { counters } = activity;
  const topic = parseTopic(room);
  const entering = { topic, since, most: Infinity, cause: "client" } as const;
  const request = { ...entering, showsPresent: true };
  await followed.joinWithReplay(connection, request, (missed) => {
    const entered = { room, present: missed.present ?? NOBODY, settings, missed, previous };
    connections.send(connection, framesOf(connection, entered));
    counters.out += missed.entries.length;
    if (since) countReplay(counters, missed.recovered, missed.entries.length);
  });
}

/** Used while a deploy is under way: a room's object with older code does not answer with its users. */
const NOBODY: PresenceView = { users: 0, connections: 0, members: [], more: false };
