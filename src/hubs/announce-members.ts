// Announces by name the users who enter and leave a group, as long as the group is small.

import type { MemberContext } from "../hub.ts";

/**
 * Most users of a group with announcements by name. Above it clients rely on the counts of `$/presence`: a thousand
 * arrivals must not cost a million messages.
 */
export const NAMED_UP_TO = 50;

interface AnnouncementClient {
  userJoined(user: string, room: string): void;
  userLeft(user: string, room: string): void;
}

/**
 * The hooks `joined` and `left`, for a hub whose clients have `userJoined` and `userLeft`. They are called once per
 * user and group, not per connection.
 */
export const announceMembers = <C extends AnnouncementClient>() => ({
  joined: announce<C>("userJoined"),
  left: announce<C>("userLeft"),
});

/** Calls one of both methods on the clients in the group. Rooms of other kinds are not announced. */
const announce =
  <C extends AnnouncementClient>(clientMethod: keyof AnnouncementClient) =>
  async ({ clients, group, room, user }: MemberContext<C>): Promise<void> => {
    if (room.kind !== "group") return;
    const { users } = await group(room.name).presence.count();
    if (users <= NAMED_UP_TO) await clients.group(room.name)[clientMethod](user.id, room.name);
  };
