// Names of groups that stand for rooms of another kind. In ASP.NET everything is a group: an application that has
// always pushed to the group `order-42` reaches the room `order:42`, where the hub says so.

import { ROOM_KINDS, roomTopic, type RoomKind, type Topic } from "../../model/topic.ts";
import type { AnyHub } from "./hub-definition.ts";

/**
 * Prefixes of such names in the order in which they are tried, each with the kind of its rooms. Most hubs have none.
 */
export type GroupPrefixes = readonly (readonly [prefix: string, kind: RoomKind])[];

interface HasPrefixes {
  readonly groupPrefixes: GroupPrefixes;
}

export const groupPrefixesOf = ({ settings: { rooms = {} } }: AnyHub): GroupPrefixes =>
  ROOM_KINDS.flatMap((kind) =>
    (rooms[kind]?.groups ?? []).map((prefix) => [prefix.normalize("NFC"), kind] as const),
  );

/**
 * The room that hub code and services mean by the name of a group: the room of the kind whose `groups` has a prefix of
 * the name, otherwise the group. Throws `invalid_name`.
 */
export const groupTopic = (served: HasPrefixes, name: string): Topic =>
  roomFor(served, roomTopic("group", name));

/**
 * The room of another kind that the name of a group, in its canonical form, stands for, if it does. Throws
 * `invalid_name`.
 */
export function roomBehind({ groupPrefixes }: HasPrefixes, name: string): Topic | undefined {
  for (const [prefix, kind] of groupPrefixes)
    if (name.startsWith(prefix) && name.length > prefix.length)
      return roomTopic(kind, name.slice(prefix.length));
  return undefined;
}

/** The same for a topic: only groups may stand for rooms of another kind. */
export const roomFor = (served: HasPrefixes, topic: Topic): Topic =>
  (topic.kind === "group" && roomBehind(served, topic.name)) || topic;
