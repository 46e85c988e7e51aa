// The first frames of a JSON-RPC connection to a room, the same in the room's own object and in a relay of a full room.

import type { Encoded, Outgoing } from "../../model/message.ts";
import type { RoomSettings } from "../../model/options.ts";
import { formatPosition } from "../../model/position.ts";
import type { Connection } from "../connection/connection.ts";
import { splitIntoFrames } from "../delivery/fan-out.ts";
import { messageOf } from "../delivery/outbox.ts";
import type { HistoryView } from "../rpc/log-entry.ts";
import type { PresenceView } from "../rpc/presence-view.ts";

/** The room that a connection has come for. */
export interface EnteredRoom {
  /** As a topic. */
  readonly room: string;
  readonly present: PresenceView;
  readonly settings: RoomSettings;
}

/**
 * `$/connected` stands alone in the first frame; the replay follows in as few frames as it fits. Messages that excluded
 * the client's `previous` connection are not replayed.
 */
export function framesOf(
  connection: Connection,
  entered: EnteredRoom,
  missed: HistoryView,
  previous?: string,
): Encoded[] {
  const { protocol } = connection;
  const { room } = entered;
  const replayed = missed.entries.filter(({ except }) => !previous || !except?.includes(previous));
  const replay = replayed.map((entry) =>
    protocol.encode(messageOf(room, missed.position.epoch, entry)),
  );
  const first = protocol.encode(connected(connection, entered, missed, replayed.length));
  return [first, ...splitIntoFrames(protocol, replay)];
}

function connected(
  { id, user }: Connection,
  { room, present, settings }: EnteredRoom,
  { position, recovered }: HistoryView,
  replayed: number,
): Outgoing {
  const params = {
    connectionId: id,
    userId: user.id,
    room,
    position: formatPosition(position),
    recovered,
    replayed,
    present,
    durability: settings.durability,
    pingSeconds: settings.pingSeconds,
  };
  return { type: "control", name: "connected", params };
}
