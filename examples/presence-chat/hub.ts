// A chat with presence: users of the room, and those that are typing. One join and one leave for each user, however
// many tabs.

import { hub, method, signedIn } from "dormouse-hubs/hub";
import * as z from "zod";

interface ChatClient {
  said(user: string, text: string): void;
}

export const ChatHub = hub<ChatClient>("presence-chat", { rooms: { group: { enter: signedIn } } })
  .presenceState(z.object({ typing: z.boolean() }))
  .methods({
    say: method([z.string().min(1).max(2_000)], async ({ clients, room, user }, text) => {
      if (room.kind === "group") await clients.group(room.name).said(user.id, text);
    }),
  });
export type ChatHub = typeof ChatHub;
