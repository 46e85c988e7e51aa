// The rooms in a context, `group("lobby")`, `order("42")` and `all`: reading and membership, over the ports of the
// object in which hub code runs.

import { paramsForCode } from "../../protocols/exact-json.ts";
import { HubError } from "../../model/errors.ts";
import { freezeDeep } from "../../model/plain-json.ts";
import type { Position, Topic } from "../../model/topic.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Entry as LogEntry, HistoryView } from "../../rooms/rpc/log-entry.ts";
import { copyOf, shownCopy } from "../../rooms/rpc/presence-view.ts";
import type { Host, RoomAccess } from "../../rooms/object/host.ts";
import type { Entry, Room, RoomView } from "../define/hub-context.ts";

/**
 * Read access to a room. A room of another object is read by RPC, after all publications of this object there have
 * arrived.
 */
export function roomView(rooms: RoomAccess, topic: Topic): RoomView {
  return {
    topic: freezeDeep(topic),
    history: {
      last: async (count) => entriesOf(await rooms.history(topic, { limit: count })),
      since: async (position) => entriesOf(await rooms.history(topic, { since: position })),
      // A copy: that of a log in memory is the log's own.
      position: async () => ({ ...(await rooms.history(topic, { limit: 0 })).position }),
    },
    presence: {
      list: async (page = {}) => (await rooms.presence(topic, page)).members.map(copyOf),
      count: async () => countsOf(await rooms.presence(topic, { limit: 0 })),
    },
  };
}

/** A room for calls: read access, and membership of the caller's and other connections. */
export function roomOf(
  host: Pick<Host, "clients" | "rooms">,
  caller: Connection,
  topic: Topic,
): Room {
  const { rooms, clients } = host;
  const view = roomView(rooms, topic);
  return {
    ...view,
    join: () => rooms.join(caller, topic),
    leave: () => rooms.leave(caller, topic),
    add: (id) => clients.move(id, topic, "join"),
    remove: (id) => clients.move(id, topic, "leave"),
    presence: {
      ...view.presence,
      track: async (state) => rooms.track(caller.user.id, topic, shownCopy(state)),
      untrack: () => rooms.track(caller.user.id, topic, null),
    },
  };
}

/** The counts of a presence view, without its page of users. */
const countsOf = ({ users, connections }: { users: number; connections: number }) => ({
  users,
  connections,
});

/** The messages of one page of history. Throws `history_gone` if the log no longer has all after the position. */
export function entriesOf(view: HistoryView): Entry[] {
  if (!view.recovered)
    throw new HubError("history_gone", "The log no longer has all after that position.");
  return view.entries.map((entry) => entryOf(entry, view.position));
}

/** Arguments are stored as JSON text; the epoch is that of the page. */
const entryOf = ({ offset, target, params, at }: LogEntry, { epoch }: Position): Entry => ({
  position: { epoch, offset },
  target,
  args: paramsForCode(params),
  at,
});
