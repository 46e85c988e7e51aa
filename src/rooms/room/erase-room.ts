// How a room forgets: what was said in it, or that there ever was a log.

import { formatPosition, type Position } from "../../model/position.ts";
import type { RoomParts } from "./room-parts.ts";

/** What waits to be said is said first: it was there before. */
export function clearHistory({ outbox, log }: RoomParts, now: number): void {
  outbox.flush();
  log.clear(now);
}

/** Positions of before are of another epoch then: whoever stands at one is told to reload. */
export function eraseRoom(parts: RoomParts): Position {
  const { outbox, log, followers, connections, room } = parts;
  outbox.flush();
  parts.renewEpoch((epoch) => log.erase(epoch));
  followers.restart();
  const position = formatPosition(log.position);
  for (const connection of connections.all)
    outbox.send(connection, { type: "control", name: "reset", params: {}, room, position });
  outbox.flush();
  return log.position;
}
