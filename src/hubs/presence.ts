// PresenceHub: the users who are online. The hub's room `all` tracks them, and its hooks inform every client.

import { hub, method, signedIn, type RoomView } from "../hub.ts";

interface PresenceClient {
  /** The first 100 users online, by user id. */
  onlineUsersUpdated(users: string[]): void;
  /** The user's last connection has ended. */
  userLeft(userId: string): void;
}

const usersIn = async ({ presence }: RoomView): Promise<string[]> =>
  (await presence.list({ limit: 100 })).map(({ userId }) => userId);

export const PresenceHub = hub<PresenceClient>("presence", {
  authorize: signedIn,
  rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
  online: true,
  // A dead connection is noticed within 45 s, at the price of an alarm every 15 s. Hidden tabs, whose timers are
  // throttled, reconnect by themselves.
  liveness: { silentSeconds: 30, sweepSeconds: 15 },
  // Hooks run for every room. Only `all` counts: leaving a group is not going offline.
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
