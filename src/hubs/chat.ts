// ChatHub: chat in rooms (groups). Joins and leaves are announced by the rooms themselves, and so include lost
// connections.

import { z } from "zod";
import { hub, method, signedIn } from "../hub.ts";
import { announceMembers } from "./announce-members.ts";

const RoomName = z.string().min(1).max(128);
const Message = z.string().min(1).max(4_000);

interface ChatClient {
  receiveMessage(user: string, message: string): void;
  userJoined(user: string, room: string): void;
  userLeft(user: string, room: string): void;
}

export const ChatHub = hub<ChatClient>("chat", {
  authorize: signedIn,
  rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
  ...announceMembers<ChatClient>(),
}).methods({
  /** Enters a group: its messages reach this connection from here on. */
  joinRoom: method([RoomName], ({ group }, room) => group(room).join()),

  leaveRoom: method([RoomName], ({ group }, room) => group(room).leave()),

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
