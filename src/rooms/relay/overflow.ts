// A room that is full has relays of its own: how a socket that came for the room lives in one of them, and hears and
// sees what it would there.

import { parseTopic } from "../../model/topic.ts";
import { jsonRpc } from "../../protocols/json-rpc-codec.ts";
import { connectionId } from "../rpc/object-names.ts";
import { framesOf } from "../room/enter-room.ts";
import type { OverflowArrival } from "../rpc/arrival.ts";
import type { Connection } from "../connection/connection.ts";
import { countReplay } from "../observe/counters.ts";
import type { RelayParts } from "./relay-parts.ts";

/** Accepts the socket; all that it hears is held until `enterRoom` has told it where it stands. */
export function acceptOverflow(
  parts: RelayParts,
  socket: WebSocket,
  { user, room }: OverflowArrival,
  now: number,
): Connection {
  const { agenda, connections, home, settings } = parts;
  const connection = connections.accept(socket, {
    ...{ id: connectionId(home), protocol: jsonRpc.name, user, room },
    ...{ connectedAt: now, heardAt: now, openCalls: [] },
  });
  agenda.arm(Math.min(user.expiresAt, now + settings.sweepSeconds * 1000));
  return connection;
}

/** The same first frames as in the room itself. Throws what the room's object throws. */
export async function followRoom(
  parts: RelayParts,
  connection: Connection,
  { room, since, previous }: OverflowArrival,
): Promise<void> {
  const { connections, counters, follows, settings } = parts;
  const topic = parseTopic(room);
  const present = await parts.peer(topic).presence({});
  const wanted = { topic, since, most: Infinity, cause: "client" } as const;
  await follows.catchUp(connection, wanted, (missed) => {
    const about = { room, present, settings };
    connections.send(connection, framesOf(connection, about, missed, previous));
    counters.out += missed.entries.length;
    if (since) countReplay(counters, missed.recovered, missed.entries.length);
  });
}
