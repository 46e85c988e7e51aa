// Removes a room's history, or its whole log.

import type { Outgoing } from "../../model/message.ts";
import { formatPosition, type Position } from "../../model/topic.ts";
import { snapshotMessage } from "../delivery/outbox.ts";
import { eraseState } from "../state/unopened-state.ts";
import { ROOM_SCHEMA } from "./room-migrations.ts";
import type { RoomParts } from "./room-parts.ts";

/**
 * Removes the history; offsets go on. Publications that are still queued came before: they are sent, and removed as
 * well.
 */
export function clearHistory({ outbox, log, state }: RoomParts, now: number): void {
  outbox.flush();
  state?.checkpoint();
  log.clear(now);
}

/**
 * Nothing is erased where nothing is stored, here or elsewhere. Else begins the log under a new epoch. Members get a
 * `reset`: their positions are of the old one, so they must reload; in a room with state a snapshot of its new one.
 * `sql` is the database itself.
 */
export function eraseRoom(parts: RoomParts, sql: Pick<SqlStorage, "exec">): Position {
  const { outbox, log, followers, connections, name: room, storage, state } = parts;
  outbox.flush();
  if (storage.isEmpty && !state?.isElsewhere) return log.position;
  parts.renewEpoch((epoch) => {
    log.erase(epoch);
    if (state) state.erase();
    else eraseState({ storage, sql, own: Object.keys(ROOM_SCHEMA.tables), position: log.position });
  });
  state?.restart();
  followers.restart();
  const snapshot = state?.snapshot();
  const position = formatPosition(log.position);
  const message: Outgoing = snapshot
    ? snapshotMessage(room, snapshot)
    : { type: "control", name: "reset", params: {}, room, position };
  for (const connection of connections.all) outbox.send(connection, message);
  outbox.flush();
  // A state keeps its room without an alarm.
  parts.end.arm(Date.now());
  return log.position;
}
