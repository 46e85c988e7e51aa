// Names of groups that stand for rooms of another kind. In ASP.NET everything is a group: an application that has
// always pushed to the group `order-42` reaches the room `order:42`, where the hub says so.

import { ROOM_KINDS, roomTopic, type Topic } from "../../model/topic.ts";
import type { AnyHub } from "./hub-definition.ts";

/**
 * The room that hub code and services mean by the name of a group: the room of the kind whose `groups` has a prefix of
 * the name, otherwise the group. Throws `invalid_name`.
 */
export function groupTopic(
  { settings: { rooms = {} } }: Pick<AnyHub, "settings">,
  name: string,
): Topic {
  for (const kind of ROOM_KINDS)
    for (const prefix of rooms[kind]?.groups ?? [])
      if (name.startsWith(prefix) && name.length > prefix.length)
        return roomTopic(kind, name.slice(prefix.length));
  return roomTopic("group", name);
}

/** The same for a topic: only groups may stand for rooms of another kind. */
export const roomFor = (hub: Pick<AnyHub, "settings">, topic: Topic): Topic =>
  topic.kind === "group" ? groupTopic(hub, topic.name) : topic;
