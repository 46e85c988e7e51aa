// Removes a room's history, or its whole log.

import { formatPosition, type Position } from "../../model/topic.ts";
import type { RoomParts } from "./room-parts.ts";

/**
 * Removes the history; offsets go on. Publications that are still queued came before: they are sent, and removed as
 * well.
 */
export function clearHistory({ outbox, log }: RoomParts, now: number): void {
  outbox.flush();
  log.clear(now);
}

/** Nothing is erased where nothing is stored. Else begins the log under a new epoch. Members get a `reset`: their positions are of the old one, so they must reload. */
export function eraseRoom(parts: RoomParts): Position {
  const { outbox, log, followers, connections, name: room, storage } = parts;
  outbox.flush();
  if (storage.isEmpty) return log.position;
  parts.renewEpoch((epoch) => log.erase(epoch));
  followers.restart();
  const position = formatPosition(log.position);
  for (const connection of connections.all)
    outbox.send(connection, { type: "control", name: "reset", params: {}, room, position });
  outbox.flush();
  return log.position;
}
