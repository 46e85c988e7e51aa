// ChatHub: chat in rooms (groups). Every connection that enters or leaves a room by the hub's methods is announced
// there. The end of a user's last connection is announced by the room's hook `left`, so that lost ones are included.

import * as z from "zod/mini";
import {
  clientMethods,
  hub,
  method,
  named,
  signedIn,
  type ClientOf,
  type HubContext,
  type MemberContext,
  type Topic,
} from "../hub.ts";
import { inSmallGroup, isIn } from "./announce-members.ts";

const RoomName = z.string().check(z.minLength(1), z.maxLength(128));
const Message = z.string().check(z.minLength(1), z.maxLength(4_000));

const User = named("user", z.string());
const Entered = [User, named("room", z.string())] as const;

/** Client methods as data, so that documents of the hub, and types made from them, include them. */
const ChatClient = clientMethods({
  receiveMessage: [User, named("message", z.string())],
  userJoined: Entered,
  userLeft: Entered,
});
type ChatClient = ClientOf<typeof ChatClient>;

const announceJoin = (context: HubContext<ChatClient>, room: Topic): Promise<void> =>
  inSmallGroup(context, room, (name) =>
    context.clients.group(name).userJoined(context.user.id, name),
  );

/** A call's context, or that of a room's hook. */
type Leaver = Pick<MemberContext<ChatClient>, "clients" | "group" | "user">;

const announceLeave = (context: Leaver, room: Topic): Promise<void> =>
  inSmallGroup(context, room, (name) =>
    context.clients.group(name).userLeft(context.user.id, name),
  );

export const ChatHub = hub("chat", {
  client: ChatClient,
  authorize: signedIn,
  rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
  // A socket that was opened to a group is in it without a call of `joinRoom`.
  connected: (context) => announceJoin(context, context.room),
  // Called when the user's last connection has left: at once if on purpose, after the grace period if it was lost.
  left: (context) => announceLeave(context, context.room),
}).methods({
  /** Enters a group: its messages reach this connection from here on. Announced for each device of a user. */
  joinRoom: method([RoomName], async (context, name) => {
    const room = context.group(name);
    await room.join();
    await announceJoin(context, room.topic);
  }),

  /** Leaves a group. Announced for each device: here while others of the user stay, by `left` for the last one. */
  leaveRoom: method([RoomName], async (context, name) => {
    const room = context.group(name);
    await room.leave();
    if (await isIn(room, context.user.id)) await announceLeave(context, room.topic);
  }),

  /** Publishes to a group. The caller need not be a member. */
  sendToRoom: method([RoomName, Message], async ({ clients, user }, room, message) => {
    await clients.group(room).receiveMessage(user.id, message);
  }),

  /** Sends to every connection of the hub but the caller's. */
  broadcastExceptSelf: method([Message], async ({ clients, user }, message) => {
    await clients.others.receiveMessage(user.id, message);
  }),
});

export type ChatHub = typeof ChatHub;
