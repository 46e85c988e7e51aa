// Begins a connection in its room's own object: checks limits, sends the first frames and replays missed entries.

import { HubError } from "../../model/errors.ts";
import type { Position } from "../../model/topic.ts";
import { traceOf } from "../../model/trace.ts";
import type { User } from "../../model/user.ts";
import { jsonRpc } from "../../protocols/json-rpc-codec.ts";
import type { Connection } from "../connection/connection.ts";
import { checkAccountCount } from "../connection/connection-limits.ts";
import { acceptJsonRpc, endPrevious, framesOf } from "../object/begin-json-rpc.ts";
import { countOfAccount } from "../object/sweeps.ts";
import { countReplay } from "../observe/counters.ts";
import type { RoomArrival } from "../rpc/arrival.ts";
import type { Entry, HistoryView, MissedView } from "../rpc/log-entry.ts";
import type { RoomParts } from "./room-parts.ts";
import { withState } from "./state-part.ts";
import { endUnwatched } from "./watched.ts";

/**
 * Accepts the socket, counts the user in presence, and sends `$/connected` and the replay. All in one turn: no
 * publication comes between the replay and the live messages. Throws `room_full` or `too_many_connections`; nothing is
 * accepted then.
 */
export function enterRoom(parts: RoomParts, socket: WebSocket, arrival: RoomArrival): Connection {
  const { user, since, previous, trace } = arrival;
  endPrevious(parts.connections, user, previous);
  endUnwatched(parts, [user.id]);
  checkRoom(parts, user);
  const { connections, activity, name: room, presence, settings, storage } = parts;
  // Stores the epoch, because the client gets a position of it.
  storage.create();
  const missed = withState(parts, missedSince(parts, since, Date.now()));
  const about = { protocol: jsonRpc.name, ...traceOf(arrival) };
  const connection = acceptJsonRpc(parts, socket, { arrival, about });
  presence.addOwn(user.id, 1, { trace });
  const present = presence.view({});
  connections.send(connection, framesOf(connection, { room, present, settings, missed, previous }));
  activity.counters.out += missed.entries.length;
  if (since) countReplay(activity.counters, missed.recovered, missed.entries.length);
  // In the turn that has requested the alarm of the sweep, so that a new room's alarm is set once.
  activity.entered();
  return connection;
}

function checkRoom(parts: RoomParts, user: User): void {
  const { limits } = parts.settings;
  if (parts.connections.all.size >= limits.connectionsPerObject)
    throw new HubError("room_full", "This room is full.");
  checkAccountCount(limits, user, countOfAccount(parts, user));
}

/**
 * The entries after `since`; `recovered: false` if the log no longer has all of them. A replay of more than
 * `queuedBytes` counts as not recovered: the socket would be closed as too slow, and the next one would repeat it.
 */
export function missedSince(
  { log, settings: { limits } }: Pick<RoomParts, "log" | "settings">,
  since: Position | undefined,
  now: number,
): HistoryView {
  if (!since) return noEntries(log.position);
  let size = 0;
  const isTooMuch = ({ params }: Entry) => (size += params.length) > limits.queuedBytes;
  const missed = log.since(since, now, limits.recovery, isTooMuch);
  return size > limits.queuedBytes ? noEntries(missed.position) : missed;
}

interface MissedRequest {
  readonly since: Position | undefined;
  readonly wantsState?: boolean | undefined;
}

/**
 * The entries missed by a connection that another object holds; in rooms with a state possibly a snapshot instead of
 * changes. With `look`, which is called first, the result has the present users. Queued publications are saved before
 * the log is read, so that live batches continue at the returned position.
 */
export async function missedAtJoin(
  parts: RoomParts,
  { since, wantsState }: MissedRequest,
  look: (() => Promise<void>) | false | undefined,
): Promise<MissedView> {
  if (parts.state) await parts.state.ready();
  if (look) await look();
  parts.outbox.flush();
  const missed = withState(parts, missedSince(parts, since, Date.now()), wantsState);
  return look ? { ...missed, present: parts.own.presence({}) } : missed;
}

const noEntries = (position: Position): HistoryView => ({
  entries: [],
  position,
  recovered: false,
});
