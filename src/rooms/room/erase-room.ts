// Removes a room's history, or its whole log.

import type { Outgoing } from "../../model/message.ts";
import { formatPosition, randomEpoch, type Position } from "../../model/topic.ts";
import { snapshotMessage } from "../delivery/outbox.ts";
import { eraseState } from "../state/unopened-state.ts";
import { ROOM_SCHEMA } from "./room-migrations.ts";
import type { RoomParts } from "./room-parts.ts";

/**
 * Removes the history; offsets continue. Queued publications were made before: they are sent first, and removed with
 * the others.
 */
export function clearHistory({ outbox, log, state }: RoomParts, now: number): void {
  outbox.flush();
  state?.checkpoint();
  log.clear(now);
}

/**
 * Erases the room, and begins its log under a new epoch; does nothing if nothing is stored, here or elsewhere. Members
 * get a `reset`, because their positions are of the old epoch; in a room with state they get the new snapshot.
 * `sql` is the whole database, with the hub's own tables.
 */
export function eraseRoom(parts: RoomParts, sql: Pick<SqlStorage, "exec">): Position {
  const { outbox, log, followers, connections, name: room, storage, state } = parts;
  outbox.flush();
  if (storage.isEmpty && !state?.isElsewhere) return log.position;
  // In one commit: a crash leaves the old log and epoch, or the new ones.
  storage.transactionSync(() => {
    const epoch = randomEpoch();
    storage.kv.put("epoch", epoch);
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
  // A room that only its state kept has no alarm for its end.
  parts.end.arm(Date.now());
  return log.position;
}
