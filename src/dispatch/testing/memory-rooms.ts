// Rooms of one hub in memory, for `calling`: who is in them, and what was said there. Nothing expires, nothing is lost.

import { LIMITS } from "../../model/options.ts";
import { formatTopic, roomTopic, ALL, type Topic } from "../../model/topic.ts";
import type { Entry, Member, Room, RoomView } from "../define/hub-context.ts";
import type { Sending } from "./recording.ts";

export interface MemoryRooms {
  /** The rooms the caller has joined, as topics. */
  readonly joined: string[];
  /** What a call sees: rooms the caller may be put into. */
  readonly forCaller: Reach<Room>;
  /** What a room's hook sees. */
  readonly forAnyone: Reach<RoomView>;
  enter(room: Topic, userId: string): void;
  leave(room: Topic, userId: string): void;
}

interface Reach<R> {
  readonly all: RoomView;
  group(name: string): R;
  order(id: string): R;
}

/** The states of those present, by room and user id. */
type Present = Map<string, Map<string, unknown>>;

interface Start {
  /** Who calls … */
  readonly userId: string;
  /** … from which room. */
  readonly attached: Topic;
  readonly online: readonly string[];
}

export function memoryRooms(
  said: readonly Sending[],
  { userId, attached, online }: Start,
): MemoryRooms {
  const present: Present = new Map([["all", new Map(online.map((id) => [id, null]))]]);
  if (attached.kind !== "all") enter(present, formatTopic(attached), userId);
  const joined: string[] = [];
  const view = (topic: Topic) => viewOf(topic, said, present);
  const room = (topic: Topic): Room => ({
    ...view(topic),
    ...moving(formatTopic(topic), userId, { joined, present }),
    presence: { ...view(topic).presence, ...tracking(formatTopic(topic), userId, present) },
  });
  return {
    joined,
    forCaller: reach(room, view),
    forAnyone: reach(view, view),
    enter: (topic, id) => enter(present, formatTopic(topic), id),
    leave: (topic, id) => void present.get(formatTopic(topic))?.delete(id),
  };
}

const reach = <R>(at: (topic: Topic) => R, view: (topic: Topic) => RoomView): Reach<R> => ({
  all: view(ALL),
  group: (name) => at(roomTopic("group", name)),
  order: (id) => at(roomTopic("order", id)),
});

const viewOf = (topic: Topic, said: readonly Sending[], present: Present): RoomView => ({
  topic,
  history: {
    last: async (count) => entries(said, topic).slice(-count || Infinity), // slice(-0) would be all
    since: async ({ offset }) => entries(said, topic).slice(offset),
  },
  presence: {
    list: async ({ after = "", limit = LIMITS.presencePage } = {}) =>
      members(present, topic)
        .filter((member) => member.userId > after)
        .slice(0, limit),
    count: async () => {
      const { length } = members(present, topic);
      return { users: length, connections: length };
    },
  },
});

const moving = (
  name: string,
  userId: string,
  { joined, present }: { joined: string[]; present: Present },
) => ({
  join: async () => {
    if (!joined.includes(name)) joined.push(name);
    enter(present, name, userId);
  },
  add: async () => {},
  remove: async () => {},
  leave: async () => {
    if (joined.includes(name)) joined.splice(joined.indexOf(name), 1);
    present.get(name)?.delete(userId);
  },
});

const tracking = (name: string, userId: string, present: Present) => ({
  track: async (state: unknown) => void present.get(name)?.set(userId, state),
  untrack: async () => void present.get(name)?.set(userId, null),
});

/** Whoever is in a room stays as they are when another of their connections comes. */
function enter(present: Present, name: string, userId: string): void {
  const here = present.get(name) ?? new Map<string, unknown>();
  if (!here.has(userId)) here.set(userId, null);
  present.set(name, here);
}

const entries = (said: readonly Sending[], topic: Topic): Entry[] =>
  said
    .filter(({ to }) => to === formatTopic(topic))
    .map(({ method, args }, index) => ({
      position: { epoch: "memory", offset: index + 1 },
      target: method,
      args,
      at: 0,
    }));

const members = (present: Present, topic: Topic): Member[] =>
  [...(present.get(formatTopic(topic)) ?? [])]
    .map(([userId, state]) => ({ userId, since: 0, connections: 1, state }))
    .toSorted((a, b) => (a.userId < b.userId ? -1 : 1));
