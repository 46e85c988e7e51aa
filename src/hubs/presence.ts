// Who is online. The hub's `all` room knows; its hooks tell everybody.

import { hub, method, signedIn, type RoomView } from "../hub.ts";

export interface PresenceClient {
  /** The first 100, by user id. */
  onlineUsersUpdated(users: string[]): void;
  /** The user's last connection has gone. */
  userLeft(userId: string): void;
}

const usersIn = async ({ presence }: RoomView): Promise<string[]> =>
  (await presence.list({ limit: 100 })).map(({ userId }) => userId);

export const PresenceHub = hub<PresenceClient>("presence", {
  authorize: signedIn,
  rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
  online: true,
  // A bound of 45 s on ghosts, at the price of an alarm every 15 s; hidden tabs come back by themselves.
  liveness: { silentSeconds: 30, sweepSeconds: 15 },
  // Hooks run for every room. Leaving a group is not going offline, so only `all` counts.
  left: async ({ clients, room, user }) => {
    if (room.kind === "all") await clients.all.userLeft(user.id);
  },
  presenceChanged: async ({ all, clients, room }) => {
    if (room.kind === "all") await clients.all.onlineUsersUpdated(await usersIn(all));
  },
}).methods({
  getOnlineUsers: method([], ({ all }) => usersIn(all)),
});

export type PresenceHub = typeof PresenceHub;
