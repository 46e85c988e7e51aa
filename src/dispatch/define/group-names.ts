// Names of groups that mean rooms of another kind. In ASP.NET every room is a group: an application that publishes to
// the group `order-42` reaches the room `order:42`, if the hub declares that.

import { ROOM_KINDS, roomTopic, type RoomKind, type Topic } from "../../model/topic.ts";
import type { AnyHub } from "./hub-definition.ts";

/**
 * Prefixes of such names, each with the kind of its rooms, in the order in which they are tried. Most hubs have none.
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
 * The room for the name of a group in hub code and services: a room of the kind whose `groups` has a prefix of the
 * name, otherwise the group. Throws `invalid_name`.
 */
export const groupTopic = (served: HasPrefixes, name: string): Topic =>
  roomFor(served, roomTopic("group", name));

/**
 * The room of another kind for the name of a group, which must be in canonical form; undefined if it has no such
 * prefix. Throws `invalid_name`.
 */
export function roomBehind({ groupPrefixes }: HasPrefixes, name: string): Topic | undefined {
  for (const [prefix, kind] of groupPrefixes)
    if (name.startsWith(prefix) && name.length > prefix.length)
      return roomTopic(kind, name.slice(prefix.length));
  return undefined;
}

/** The room for a topic: only groups may mean rooms of another kind. */
export const roomFor = (served: HasPrefixes, topic: Topic): Topic =>
  (topic.kind === "group" && roomBehind(served, topic.name)) || topic;
