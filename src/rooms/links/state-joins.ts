// Joins of rooms with state: a member gets a snapshot and then later entries, regardless of the cause of its join.

import { CLOSE } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import type { RoomSettings } from "../../model/options.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import type { ConnectionTable } from "../connection/connection-table.ts";
import { messageOf, snapshotMessage, type Outbox } from "../delivery/outbox.ts";
import type { HistoryView } from "../rpc/log-entry.ts";
import type { FollowedRooms } from "./followed-rooms.ts";
import type { JoinRequest } from "./join-replay.ts";

interface Parts {
  readonly connections: Pick<ConnectionTable, "all" | "close">;
  readonly followed: FollowedRooms;
  readonly outbox: Pick<Outbox, "send">;
  readonly settings: Pick<RoomSettings, "stateKind">;
}

/** Pauses between attempts to reach a room. After the last one the connection is closed, so that its client returns. */
const PAUSES_MS = [1_000, 5_000, 15_000] as const;

export const hasState = ({ settings }: Pick<Parts, "settings">, { kind }: Topic): boolean =>
  kind === settings.stateKind;

/** Sends the missed entries of a room to a connection, in order: the snapshot first, then entries. */
export function sendMissed(
  { outbox }: Pick<Parts, "outbox">,
  connection: Connection,
  { room, missed }: { readonly room: string; readonly missed: HistoryView },
): void {
  if (missed.state) outbox.send(connection, snapshotMessage(room, missed.state));
  for (const entry of missed.entries)
    outbox.send(connection, messageOf(room, missed.position.epoch, entry));
}

/** Rejects with the errors of a join; then the connection is no member. */
export const joinWithState = (parts: Parts, connection: Connection, join: JoinRequest) =>
  parts.followed.joinWithReplay(connection, { ...join, since: undefined }, (missed) =>
    sendMissed(parts, connection, { room: formatTopic(join.topic), missed }),
  );

/**
 * Puts the connection into a room that its token or hub names. A member gets no snapshot, because it has its copy: one
 * at each fresh token would cost its size, and lose messages that leave meanwhile. Stops if the connection leaves.
 */
export async function belong(
  parts: Parts,
  connection: Connection,
  { topic, cause }: Omit<JoinRequest, "most">,
): Promise<void> {
  const isMember = parts.followed.causesOf(connection).has(formatTopic(topic));
  if (isMember || !hasState(parts, topic)) return parts.followed.belong(connection, topic, cause);
  const pending = (connection.pending ??= new Map());
  const name = formatTopic(topic);
  pending.set(name, cause);
  for (const pause of [...PAUSES_MS, undefined]) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after another
      await joinWithState(parts, connection, { topic, cause, most: Infinity });
      return void pending.delete(name);
    } catch (error) {
      if (!parts.connections.all.has(connection) || !pending.has(name)) return;
      logWarning("room_unreached", { room: name, error });
      if (pause === undefined) return parts.connections.close(connection, CLOSE.interrupted);
      // oxlint-disable-next-line no-await-in-loop
      await scheduler.wait(pause);
      if (!pending.has(name)) return;
    }
  }
}
