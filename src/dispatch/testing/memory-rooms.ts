// Rooms of one hub in memory, for `calling`: their members, and as history the messages that the hub sent. Rooms here
// have no limits, and keep all messages; the rules of rooms are not applied.

import { callProxy } from "../../model/audiences.ts";
import { HubError } from "../../model/errors.ts";
import { LIMITS } from "../../model/options.ts";
import { freezeDeep } from "../../model/plain-json.ts";
import { formatTopic, topicOfCode, ALL, type Topic } from "../../model/topic.ts";
import { copyOf, shownCopy } from "../../rooms/rpc/presence-view.ts";
import type { Entry, Member, Room, RoomView } from "../define/hub-context.ts";
import { toWire, type Sending } from "./recording.ts";

export interface MemoryRooms {
  /** The rooms that the caller has joined, as topics. One array for the whole test, which changes with every join. */
  readonly joined: string[];
  /** The rooms in the context of a call. */
  readonly forCaller: ContextRooms<Room>;
  /** The rooms in the context of a room's hook: read access only. */
  readonly forHooks: ContextRooms<RoomView>;
  /** Adds a user to the presence of a room. A present user keeps the state. */
  enter(room: Topic, userId: string): void;
  /** Removes a user from the presence of a room, with all connections. */
  leave(room: Topic, userId: string): void;
}

/** The rooms that a context gives access to. */
interface ContextRooms<R> {
  readonly all: RoomView;
  group(name: string): R;
  order(id: string): R;
}

/** Tracked states by topic and user id; null for a present user without a state. */
type PresenceByRoom = Map<string, Map<string, unknown>>;

interface MemoryRoomsOptions {
  /** The user id of the caller. */
  readonly userId: string;
  /** The room that the caller's connection is attached to. */
  readonly attached: Topic;
  /** User ids of the presence of the `all` room. */
  readonly online: readonly string[];
}

/** `sent` is the live list of the hub's messages, which is the rooms' history. */
export function memoryRooms(
  sent: readonly Sending[],
  { userId, attached, online }: MemoryRoomsOptions,
): MemoryRooms {
  const present: PresenceByRoom = new Map([["all", new Map(online.map((id) => [id, null]))]]);
  if (attached.kind !== "all") enter(present, formatTopic(attached), userId);
  const joined: string[] = [];
  const view = (topic: Topic) => viewOf(topic, sent, present);
  const room = (topic: Topic): Room => ({
    ...view(topic),
    ...membershipOf(formatTopic(topic), userId, { joined, present }),
    presence: { ...view(topic).presence, ...trackingOf(formatTopic(topic), userId, present) },
  });
  return {
    joined,
    forCaller: contextRooms(room, view),
    forHooks: contextRooms(view, view),
    enter: (topic, id) => enter(present, formatTopic(topic), id),
    leave: (topic, id) => void present.get(formatTopic(topic))?.delete(id),
  };
}

const contextRooms = <R>(
  at: (topic: Topic) => R,
  view: (topic: Topic) => RoomView,
): ContextRooms<R> => ({
  all: view(ALL),
  group: (name) => at(topicOfCode("group", name)),
  order: (id) => at(topicOfCode("order", id)),
});

/** Read access to a room, from the recorded messages and the presence. */
const viewOf = (topic: Topic, sent: readonly Sending[], present: PresenceByRoom): RoomView => ({
  ...WITHOUT_STATE,
  topic: freezeDeep(topic),
  history: {
    last: async (count) => entriesOf(sent, topic).slice(-count || Infinity), // slice(-0) would return all
    since: async ({ offset }) => entriesOf(sent, topic).slice(offset),
    position: async () => ({ epoch: "memory", offset: entriesOf(sent, topic).length }),
  },
  presence: {
    list: async ({ after = "", limit = LIMITS.presencePage } = {}) =>
      membersOf(present, topic)
        .filter((member) => member.userId > after)
        .slice(0, limit),
    count: async () => {
      const { length } = membersOf(present, topic);
      return { users: length, connections: length };
    },
  },
});

/** Throws `method_not_found`, with advice where code that needs a state can be tested. */
export function noStateIn(what: "calling" | "world"): never {
  throw new HubError(
    "method_not_found",
    `Rooms have no state in \`${what}\`: test actions by \`callingRoom\`, and methods and hooks that need one in workerd.`,
  );
}

const noState = async (): Promise<never> => noStateIn("calling");

/** Members of a room with state, which throw with that advice. */
const WITHOUT_STATE: object = {
  ...{ state: noState, reload: noState },
  ...{ run: callProxy(noState), internal: callProxy(noState) },
};

/** Membership of the caller. `add` and `remove` do nothing: there are no other connections here. */
const membershipOf = (
  name: string,
  userId: string,
  { joined, present }: { joined: string[]; present: PresenceByRoom },
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

/** States of the caller's user. */
function trackingOf(name: string, userId: string, present: PresenceByRoom) {
  const track = async (state: unknown) => {
    const states = present.get(name);
    if (!states?.has(userId))
      throw new HubError("forbidden", "Only users in the room can show a state there.");
    states.set(userId, shownCopy(state));
  };
  return { track, untrack: () => track(null) };
}

function enter(present: PresenceByRoom, name: string, userId: string): void {
  const states = present.get(name) ?? new Map<string, unknown>();
  if (!states.has(userId)) states.set(userId, null);
  present.set(name, states);
}

/** Offsets are consecutive by room, from 1. */
const entriesOf = (sent: readonly Sending[], topic: Topic): Entry[] =>
  sent
    .filter(({ to }) => to === formatTopic(topic))
    .map(({ method, args }, index) => ({
      position: { epoch: "memory", offset: index + 1 },
      target: method,
      args: args.map(toWire),
      at: 0,
    }));

/** Ordered by user id. Every user has one connection here. */
const membersOf = (present: PresenceByRoom, topic: Topic): Member[] =>
  [...(present.get(formatTopic(topic)) ?? [])]
    .map(([userId, state]) => copyOf({ userId, since: 0, connections: 1, state }))
    .toSorted((a, b) => (a.userId < b.userId ? -1 : 1));
