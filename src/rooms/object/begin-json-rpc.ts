// The beginning of a JSON-RPC connection, the same in a room's own object and at relays: the client's earlier connection
// ends, the socket is accepted, and a connection to a room gets its first frames.

import { CLOSE } from "../../model/errors.ts";
import type { Encoded, Outgoing } from "../../model/message.ts";
import type { RoomSettings } from "../../model/options.ts";
import { VERSION } from "../../model/package-version.ts";
import { formatPosition } from "../../model/topic.ts";
import { accountOf, type User } from "../../model/user.ts";
import type { Attached } from "../connection/attachment.ts";
import type { Connection } from "../connection/connection.ts";
import type { ConnectionTable } from "../connection/connection-table.ts";
import { splitIntoFrames } from "../delivery/fan-out.ts";
import { messageOf } from "../delivery/outbox.ts";
import { countClient } from "../observe/counters.ts";
import type { RoomArrival } from "../rpc/arrival.ts";
import type { HistoryView } from "../rpc/log-entry.ts";
import { connectionId } from "../rpc/object-names.ts";
import type { PresenceView } from "../rpc/presence-view.ts";
import type { ObjectParts } from "./object-parts.ts";

/**
 * Ends the connection with this id, which may be half open: only the client knows that it is lost. Does nothing if this
 * object does not hold it for the same user. The user stays present meanwhile.
 */
export function endPrevious(
  connections: ConnectionTable,
  user: User,
  previous: string | undefined,
): void {
  const old = previous === undefined ? undefined : connections.get(previous);
  if (!old || old.user.id !== user.id || accountOf(old.user) !== accountOf(user)) return;
  connections.close(old, CLOSE.replaced);
}

/** A JSON-RPC client, and the members of its attachment that depend on where it is. */
interface NewClient {
  readonly arrival: Pick<RoomArrival, "user" | "pings" | "version">;
  readonly about: Pick<Attached, "protocol" | "room" | "request" | "trace" | "reportsTaken">;
}

/** Accepts the socket, counts the client, and sets the alarm for its expiry and its first sweep. */
export function acceptJsonRpc(
  { activity, address, agenda, connections, sweepMs }: ObjectParts,
  socket: WebSocket,
  { arrival: { user, pings, version }, about }: NewClient,
): Connection {
  const now = Date.now();
  const connection = connections.accept(socket, {
    ...{ id: connectionId(address), user, ...about },
    ...{ connectedAt: now, heardAt: now, openCalls: [], ...(pings && { pings }) },
  });
  countClient(activity.counters, version);
  agenda.arm(Math.min(user.expiresAt, now + sweepMs()));
  return connection;
}

/** The room that a connection is attached to, and the entries that it missed. */
interface EnteredRoom {
  /** As a topic. */
  readonly room: string;
  readonly present: PresenceView;
  readonly settings: RoomSettings;
  readonly missed: HistoryView;
  /** Id of the client's earlier connection: messages that excluded it are not replayed. */
  readonly previous?: string | undefined;
}

/**
 * The first frame has only `$/connected`, whose position is the client's after it has read the replay. The
 * replay follows, in as few frames as possible.
 */
export function framesOf(connection: Connection, entered: EnteredRoom): Encoded[] {
  const { protocol } = connection;
  const { room, missed, previous } = entered;
  const replayed = missed.entries.filter(({ except }) => !previous || !except?.includes(previous));
  const first = withState(
    protocol.encode(connected(connection, entered, replayed.length)),
    missed.state?.text,
  );
  if (replayed.length === 0) return [first];
  const replay = replayed.map((entry) =>
    protocol.encode(messageOf(room, missed.position.epoch, entry)),
  );
  return [first, ...splitIntoFrames(protocol, replay)];
}

/** Inserts the text of the state as the last parameter, so that it is not encoded again for each client. */
const withState = (first: Encoded, state: string | undefined): Encoded =>
  state === undefined ? first : `${(first as string).slice(0, -2)},"state":${state}}}`;

function connected(
  { id, user }: Connection,
  { room, present, settings, missed: { position, recovered } }: EnteredRoom,
  replayed: number,
): Outgoing {
  const params = {
    connectionId: id,
    userId: user.id,
    server: VERSION,
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
