// A room that is full has relays of its own: how a socket that came for the room lives in one of them, and gets what it
// would get in the room itself.

import { parseTopic } from "../../model/topic.ts";
import { jsonRpc } from "../../protocols/json-rpc-codec.ts";
import type { Connection } from "../connection/connection.ts";
import { framesOf } from "../object/first-frames.ts";
import { countReplay } from "../observe/counters.ts";
import type { OverflowArrival } from "../rpc/arrival.ts";
import { connectionId } from "../rpc/object-names.ts";
import type { RelayParts } from "./relay-parts.ts";

/** Accepts the socket; everything for it is held until `followRoom` has sent its first frames. */
export function acceptOverflow(
  parts: RelayParts,
  socket: WebSocket,
  { user, room }: OverflowArrival,
  now: number,
): Connection {
  const { address, agenda, connections, settings } = parts;
  const connection = connections.accept(socket, {
    ...{ id: connectionId(address), protocol: jsonRpc.name, user, room },
    ...{ connectedAt: now, heardAt: now, openCalls: [] },
  });
  agenda.arm(Math.min(user.expiresAt, now + settings.sweepSeconds * 1000));
  return connection;
}

/** Joins the room, with the same first frames as in the room itself. Throws what the room's object throws. */
export async function followRoom(
  parts: RelayParts,
  connection: Connection,
  { room, since, previous }: OverflowArrival,
): Promise<void> {
  const { connections, activity, followed, settings } = parts;
  const { counters } = activity;
  const topic = parseTopic(room);
  const present = await parts.room(topic).presence({});
  const request = { topic, since, most: Infinity, cause: "client" } as const;
  await followed.joinWithReplay(connection, request, (missed) => {
    const entered = { room, present, settings };
    connections.send(connection, framesOf(connection, entered, missed, previous));
    counters.out += missed.entries.length;
    if (since) countReplay(counters, missed.recovered, missed.entries.length);
  });
}
