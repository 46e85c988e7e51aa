// How a room forgets: its history, or its whole log.

import { formatPosition, type Position } from "../../model/position.ts";
import type { RoomParts } from "./room-parts.ts";

/** Forgets the history; publications that wait are sent first, for they came before. Offsets go on. */
export function clearHistory({ outbox, log }: RoomParts, now: number): void {
  outbox.flush();
  log.clear(now);
}

/** Begins the log anew under another epoch: members whose positions are of the old one are told to reload. */
export function eraseRoom(parts: RoomParts): Position {
  const { outbox, log, followers, connections, name: room } = parts;
  outbox.flush();
  parts.renewEpoch((epoch) => log.erase(epoch));
  followers.restart();
  const position = formatPosition(log.position);
  for (const connection of connections.all)
    outbox.send(connection, { type: "control", name: "reset", params: {}, room, position });
  outbox.flush();
  return log.position;
}
