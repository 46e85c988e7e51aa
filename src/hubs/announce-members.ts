// Announcements of the users who enter and leave a group, by name, as long as the group is small.

import type { RoomView, Topic } from "../hub.ts";

/**
 * The most users of a group with announcements by name. In larger groups clients rely on the counts of `$/presence`: a
 * thousand arrivals must not cost a million messages.
 */
export const NAMED_UP_TO = 50;

/** The context of a call or of a room's hook, from which rooms can be read. */
interface Rooms {
  group(name: string): RoomView;
}

/** Whether the user is in a group, by a connection that has not left it; in a small group, as above. */
export async function isIn({ presence }: RoomView, userId: string): Promise<boolean> {
  const members = await presence.list({ limit: NAMED_UP_TO });
  return members.some((member) => member.userId === userId);
}

/** Calls `announce` with the group's name if the room is a group, and a small one. */
export async function inSmallGroup(
  { group }: Rooms,
  room: Topic,
  announce: (group: string) => Promise<void>,
): Promise<void> {
  if (room.kind !== "group") return;
  const { users } = await group(room.name).presence.count();
  if (users <= NAMED_UP_TO) await announce(room.name);
}
