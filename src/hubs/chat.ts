// Chat in rooms. Who comes and goes is said by the rooms themselves, so that a lost connection is said too.

import { z } from "zod";
import { hub, method, signedIn } from "../hub.ts";
import { comings } from "./announce-members.ts";

const RoomName = z.string().min(1).max(128);
const Message = z.string().min(1).max(4_000);

export interface ChatClient {
  receiveMessage(user: string, message: string): void;
  userJoined(user: string, room: string): void;
  userLeft(user: string, room: string): void;
}

export const ChatHub = hub<ChatClient>("chat", {
  authorize: signedIn,
  rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
  ...comings<ChatClient>(),
}).methods({
  joinRoom: method([RoomName], ({ group }, room) => group(room).join()),

  leaveRoom: method([RoomName], ({ group }, room) => group(room).leave()),

  sendToRoom: method([RoomName, Message], async ({ clients, user }, room, message) => {
    await clients.group(room).receiveMessage(user.id, message);
  }),

  broadcastExceptSelf: method([Message], async ({ clients, user }, message) => {
    await clients.others.receiveMessage(user.id, message);
  }),
});

export type ChatHub = typeof ChatHub;
