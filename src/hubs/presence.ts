// PresenceHub: the users who are online. The hub's room `all` tracks them, and its hooks inform every client.

import * as z from "zod/mini";
import { clientMethods, hub, named, returns, signedIn, type RoomView } from "../hub.ts";

/** The first 100 users online, by user id. */
const Users = z.array(z.string());

const PresenceClient = clientMethods({
  onlineUsersUpdated: [named("users", Users)],
  /** The user's last connection has ended. */
  userLeft: [named("userId", z.string())],
});

const usersIn = async ({ presence }: RoomView): Promise<string[]> =>
  (await presence.list({ limit: 100 })).map(({ userId }) => userId);

export const PresenceHub = hub("presence", {
  client: PresenceClient,
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
  getOnlineUsers: returns(Users).method([], ({ all }) => usersIn(all)),
});

export type PresenceHub = typeof PresenceHub;
