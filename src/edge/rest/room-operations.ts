// Operations on rooms of any kind that Azure's data plane does not have: positions, history, presence, erasing, and the
// list of a hub's rooms. Members of the answers are named as in Centrifugo's HTTP API.

import * as z from "zod/mini";
import { ALL, formatTopic, parsePosition } from "../../model/topic.ts";
import { entriesOf } from "../../dispatch/context/room-views.ts";
import { setMembership } from "./group-operations.ts";
import { closeArguments } from "./hub-operations.ts";
import { operation } from "./operation.ts";
import { Excluded, Position, Reason } from "./operation-schemas.ts";

/**
 * The most entries in one answer. Absent: the room's default; 0: none, if only the counts or the position are needed.
 * The hub's own limits apply as well, so that a page may be shorter than requested.
 */
const Count = z.optional(z.coerce.number().check(z.int(), z.minimum(0), z.maximum(1_000)));

// Messages after `since` are those that a client at this position missed. A `since` of another epoch, or from before
// the log's first entry, is no error: epoch and first offset of the answer show the gap.
const history = operation({
  id: "history",
  method: "GET",
  path: "/rooms/{room}/history",
  summary: "The room's messages: the newest, or all after `since`, oldest first.",
  query: {
    limit: Count,
    since: z.optional(z.string()),
    reverse: z.optional(z.enum(["true", "false"])),
  },
  answer: z.extend(Position, {
    publications: z.array(
      z.object({
        offset: z.int(),
        target: z.string(),
        arguments: z.array(z.unknown()),
        /** Milliseconds since 1970. */
        at: z.number(),
      }),
    ),
  }),
  handle: async (hub, { query: { limit, since, reverse } }) => {
    const view = await hub.room(hub.topic).history({
      ...(limit !== undefined && { limit }),
      ...(since !== undefined && { since: parsePosition(since) }),
      reverse: reverse === "true",
    });
    const publications = entriesOf(view).map(({ position, target, args, at }) => {
      return { offset: position.offset, target, arguments: args, at };
    });
    return { body: { publications, ...view.position } };
  },
});

// Deletes only the messages: epoch, offsets and presence stay. Clients that have a position continue from it, and lose
// only the messages that they had missed until now.
const clear = operation({
  id: "removeHistory",
  method: "DELETE",
  path: "/rooms/{room}/history",
  summary: "Deletes the room's messages; its offsets continue.",
  status: 204,
  handle: (hub) => hub.room(hub.topic).clear(),
});

/** Centrifugo's two figures: connections, and distinct users among them. */
const Counts = { num_clients: z.int(), num_users: z.int() };

// Ordered by user id. The next page begins after the last id of this one, so that members who join or leave between two
// pages move no other member to another page. `since` is in milliseconds; `state` is the member's own, from `$/track`.
// The counts are of the whole room, on every page.
const presence = operation({
  id: "presence",
  method: "GET",
  path: "/rooms/{room}/presence",
  summary: "The members of the room, by user id, page by page.",
  query: { after: z.optional(z.string().check(z.maxLength(128))), limit: Count },
  answer: z.object({
    presence: z.array(
      z.object({ user: z.string(), since: z.number(), num_clients: z.int(), state: z.unknown() }),
    ),
    more: z.boolean(),
    ...Counts,
  }),
  handle: async (hub, { query: { after, limit } }) => {
    const view = await hub.room(hub.topic).presence({
      ...(after !== undefined && { after }),
      ...(limit !== undefined && { limit }),
    });
    const members = view.members.map(({ userId: user, since, connections, state }) => {
      return { user, since, num_clients: connections, state };
    });
    return { body: { presence: members, more: view.more, ...countsOf(view) } };
  },
});

const countsOf = ({ users, connections }: { users: number; connections: number }) => ({
  num_clients: connections,
  num_users: users,
});

// The counts of `presence`, without its members; the cheapest request for a room.
const presenceStats = operation({
  id: "presenceStats",
  method: "GET",
  path: "/rooms/{room}/presence_stats",
  summary: "The numbers of connections and users in the room.",
  answer: z.object(Counts),
  handle: async (hub) => ({
    body: countsOf(await hub.room(hub.topic).presence({ limit: 0 })),
  }),
});

// The figures that a dashboard shows of a room, in one call. The rate is the last minute's, in messages a second. The
// room is named in its canonical form, which may differ from the path's. Its state, if it has one, is at `…/state`.
const info = operation({
  id: "roomInfo",
  method: "GET",
  path: "/rooms/{room}",
  summary: "The room's position, connections, users and message rate.",
  answer: z.extend(Position, {
    ...{ room: z.string(), has_state: z.boolean(), messages_per_second: z.number(), ...Counts },
  }),
  handle: async (hub) => {
    const { position, rate, ...counts } = await hub.room(hub.topic).info();
    const about = {
      room: formatTopic(hub.topic),
      has_state: hub.served.state?.declaration.kind === hub.topic.kind,
      messages_per_second: rate,
    };
    return { body: { ...about, ...position, ...countsOf(counts) } };
  },
});

// Read from the index in the hub's room `all`, to which rooms report from time to time: the figures are a little old.
// There is no other list of rooms. A room that has not reported for a day is not listed, but may still exist.
const list = operation({
  id: "listRooms",
  method: "GET",
  path: "/rooms",
  summary: "Rooms that were active within a day, by name, page by page; slightly delayed.",
  query: {
    prefix: z.optional(z.string().check(z.maxLength(256))),
    after: z.optional(z.string().check(z.maxLength(256))),
    limit: z._default(z.coerce.number().check(z.int(), z.minimum(1), z.maximum(1_000)), 100),
  },
  answer: z.object({
    rooms: z.array(
      z.object({
        room: z.string(),
        num_clients: z.int(),
        num_users: z.int(),
        active_at: z.number(),
      }),
    ),
    more: z.boolean(),
  }),
  handle: async (hub, { query: { prefix, after, limit } }) => {
    const found = await hub.room(ALL).rooms({
      limit,
      // In the form of names. A part of one is no name, and may end within a character.
      ...(prefix !== undefined && { prefix: prefix.normalize("NFC") }),
      ...(after !== undefined && { after }),
    });
    const rooms = found.rooms.map(({ room, at, ...counts }) => {
      return { room, ...countsOf(counts), active_at: at };
    });
    return { body: { rooms, more: found.more } };
  },
});

// Unlike `clear`, this begins a new epoch, and every position that a client holds becomes invalid: connected clients
// get `reset`, later ones recover nothing, and both load the room's state again. Answers with the new epoch's
// position.
const erase = operation({
  id: "eraseRoom",
  method: "DELETE",
  path: "/rooms/{room}",
  summary:
    "Deletes the room's log and begins a new epoch; connected clients get a reset, and reload.",
  answer: Position,
  handle: async (hub) => ({ body: await hub.room(hub.topic).erase() }),
});

// Like `closeGroupConnections`, for rooms of any kind.
const closeConnections = operation({
  id: "closeRoomConnections",
  method: "POST",
  path: "/rooms/{room}/:closeConnections",
  summary: "Closes every connection in the room.",
  query: { excluded: Excluded, reason: Reason },
  status: 204,
  handle: async (hub, { query }) => {
    await hub.room(hub.topic).everywhere(...closeArguments(query));
  },
});

// Membership as for groups; `{room}` may also be an order or a user's room. The hub's policies are not checked.
const add = operation({
  id: "addConnectionToRoom",
  method: "PUT",
  path: "/rooms/{room}/connections/{connection}",
  summary: "Adds a connection to the room.",
  finds: true,
  handle: (hub) => setMembership(hub, hub.topic, "join"),
});

const remove = operation({
  id: "removeConnectionFromRoom",
  method: "DELETE",
  path: "/rooms/{room}/connections/{connection}",
  summary: "Removes a connection from the room.",
  finds: true,
  handle: (hub) => setMembership(hub, hub.topic, "leave"),
});

export const rooms = [
  ...[list, info, history, clear, presence, presenceStats],
  ...[erase, closeConnections, add, remove],
];
