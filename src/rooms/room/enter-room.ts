// How a connection begins: what the worker hands over about an authenticated client, and the first frames.

import { HubError } from "../../model/errors.ts";
import type { Encoded, Outgoing } from "../../model/message.ts";
import { connectionId } from "../rpc/object-names.ts";
import type { RoomSettings } from "../../model/options.ts";
import { formatPosition, type Position } from "../../model/position.ts";
import type { User } from "../../model/user.ts";
import { jsonRpc } from "../../protocols/json-rpc-codec.ts";
import type { Connection } from "../connection/connection.ts";
import { countReplay } from "../observe/counters.ts";
import { cut } from "../delivery/fan-out.ts";
import { messageOf } from "../delivery/outbox.ts";
import type { HistoryView } from "../rpc/log-entry.ts";
import type { PresenceView } from "../rpc/presence-view.ts";
import type { RoomParts } from "./room-parts.ts";
import type { RoomArrival } from "../rpc/arrival.ts";

/** Accepts the socket, says where the client stands, and replays what it missed. Throws `too_many_connections`. */
export function enterRoom(
  parts: RoomParts,
  socket: WebSocket,
  { user, since, previous }: RoomArrival,
  now: number,
): Connection {
  checkRoom(parts, user);
  const { home, connections, counters, room, roster, settings } = parts;
  const attached = {
    id: connectionId(home),
    protocol: jsonRpc.name,
    user,
    connectedAt: now,
    heardAt: now,
    openCalls: [],
  };
  const missed = missedSince(parts, since, now);
  const connection = connections.accept(socket, attached);
  roster.own(user.id, 1);
  const entered = { room, present: roster.view({}), settings };
  connections.send(connection, framesOf(connection, entered, missed, previous));
  counters.out += missed.entries.length;
  if (since) countReplay(counters, missed.recovered, missed.entries.length);
  parts.agenda.arm(Math.min(user.expiresAt, now + settings.sweepSeconds * 1000));
  return connection;
}

function checkRoom({ connections, roster, settings: { limits } }: RoomParts, user: User): void {
  if (connections.all.size >= limits.connectionsPerObject)
    throw new HubError("room_full", "This room is full.");
  if (roster.ownCount(user.id) >= limits.connectionsPerUser)
    throw new HubError(
      "too_many_connections",
      `A user has ${limits.connectionsPerUser} connections here at most.`,
    );
}

/** More than may wait for a slow reader is no replay: it would close the socket, and be asked for again. */
export function missedSince(
  { log, settings: { limits } }: RoomParts,
  since: Position | undefined,
  now: number,
): HistoryView {
  if (!since) return nothing(log.position);
  const missed = log.since(since, now, limits.recovery);
  const size = missed.entries.reduce((sum, { params }) => sum + params.length, 0);
  return size > limits.queuedBytes ? nothing(missed.position) : missed;
}

const nothing = (position: Position): HistoryView => ({ entries: [], position, recovered: false });

/** What a connection is told of the room it came for. */
export interface Entered {
  /** As a topic. */
  readonly room: string;
  readonly present: PresenceView;
  readonly settings: RoomSettings;
}

/** `$/connected` stands alone in the first frame; the replay follows in as few as it fits. */
export function framesOf(
  connection: Connection,
  entered: Entered,
  missed: HistoryView,
  previous?: string,
): Encoded[] {
  const { protocol } = connection;
  const { room } = entered;
  const heard = missed.entries.filter(({ except }) => !previous || !except?.includes(previous));
  const replay = heard.map((entry) =>
    protocol.encode(messageOf(room, missed.position.epoch, entry)),
  );
  const first = protocol.encode(connected(connection, entered, missed, heard.length));
  return [first, ...cut(protocol, replay)];
}

function connected(
  { id, user }: Connection,
  { room, present, settings }: Entered,
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
