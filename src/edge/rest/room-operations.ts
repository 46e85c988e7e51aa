// What Azure has no words for: rooms with positions, history and presence. Names of members follow Centrifugo's.

import { z } from "zod";
import { parsePosition } from "../../model/position.ts";
import { ALL, formatTopic } from "../../model/topic.ts";
import { entriesOf } from "../../dispatch/context/room-views.ts";
import { put } from "./group-operations.ts";
import { closing } from "./hub-operations.ts";
import { Excluded, operation, Position, Reason } from "./operation.ts";

const Count = z.coerce.number().int().min(0).max(1_000).optional();

const history = operation({
  id: "history",
  method: "GET",
  path: "/rooms/{room}/history",
  summary: "What was said in the room: the newest, or all after `since`, oldest first.",
  query: {
    limit: Count,
    since: z.string().optional(),
    reverse: z.enum(["true", "false"]).optional(),
  },
  answer: Position.extend({
    publications: z.array(
      z.object({
        offset: z.int(),
        target: z.string(),
        arguments: z.array(z.unknown()),
        at: z.number(),
      }),
    ),
  }),
  handle: async (asked, { query: { limit, since, reverse } }) => {
    const view = await asked.room(asked.topic).history({
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

const clear = operation({
  id: "removeHistory",
  method: "DELETE",
  path: "/rooms/{room}/history",
  summary: "Forgets what was said in the room; its numbers go on.",
  status: 204,
  handle: (asked) => asked.room(asked.topic).clear(),
});

const Counts = { num_clients: z.int(), num_users: z.int() };

const presence = operation({
  id: "presence",
  method: "GET",
  path: "/rooms/{room}/presence",
  summary: "Who is in the room, by user id, page by page.",
  query: { after: z.string().max(128).optional(), limit: Count },
  answer: z.object({
    presence: z.array(
      z.object({ user: z.string(), since: z.number(), num_clients: z.int(), state: z.unknown() }),
    ),
    more: z.boolean(),
    ...Counts,
  }),
  handle: async (asked, { query: { after, limit } }) => {
    const view = await asked.room(asked.topic).presence({
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

const presenceStats = operation({
  id: "presenceStats",
  method: "GET",
  path: "/rooms/{room}/presence_stats",
  summary: "How many are in the room.",
  answer: z.object(Counts),
  handle: async (asked) => ({
    body: countsOf(await asked.room(asked.topic).presence({ limit: 0 })),
  }),
});

const info = operation({
  id: "roomInfo",
  method: "GET",
  path: "/rooms/{room}",
  summary: "Where the room stands, how many are in it, and how much was said in the last minute.",
  answer: Position.extend({ room: z.string(), messages_per_second: z.number(), ...Counts }),
  handle: async (asked) => {
    const { position, rate, ...counts } = await asked.room(asked.topic).info();
    const room = formatTopic(asked.topic);
    return { body: { room, ...position, ...countsOf(counts), messages_per_second: rate } };
  },
});

const list = operation({
  id: "listRooms",
  method: "GET",
  path: "/rooms",
  summary:
    "Rooms in which somebody was or something was said within a day, by name, page by page; an index that rooms keep, a little late.",
  query: {
    prefix: z.string().max(256).optional(),
    after: z.string().max(256).optional(),
    limit: z.coerce.number().int().min(1).max(1_000).default(100),
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
  handle: async (asked, { query: { prefix, after, limit } }) => {
    const found = await asked.room(ALL).rooms({
      limit,
      ...(prefix !== undefined && { prefix }),
      ...(after !== undefined && { after }),
    });
    const rooms = found.rooms.map(({ room, at, ...counts }) => {
      return { room, ...countsOf(counts), active_at: at };
    });
    return { body: { rooms, more: found.more } };
  },
});

const erase = operation({
  id: "eraseRoom",
  method: "DELETE",
  path: "/rooms/{room}",
  summary: "Begins the room's log anew, under another epoch; who is there is told to reload.",
  answer: Position,
  handle: async (asked) => ({ body: await asked.room(asked.topic).erase() }),
});

const closeConnections = operation({
  id: "closeRoomConnections",
  method: "POST",
  path: "/rooms/{room}/:closeConnections",
  summary: "Closes every connection in the room.",
  query: { excluded: Excluded, reason: Reason },
  status: 204,
  handle: async (asked, { query }) => {
    await asked.room(asked.topic).everywhere(...closing(query));
  },
});

const add = operation({
  id: "addConnectionToRoom",
  method: "PUT",
  path: "/rooms/{room}/connections/{connection}",
  summary: "Puts a connection into the room.",
  finds: true,
  handle: (asked) => put(asked, asked.topic, "join"),
});

const remove = operation({
  id: "removeConnectionFromRoom",
  method: "DELETE",
  path: "/rooms/{room}/connections/{connection}",
  summary: "Takes a connection out of the room.",
  finds: true,
  handle: (asked) => put(asked, asked.topic, "leave"),
});

export const rooms = [
  ...[list, info, history, clear, presence, presenceStats],
  ...[erase, closeConnections, add, remove],
];
