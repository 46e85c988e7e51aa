// The hub of the chat. The page imports its type, and nothing of its code.

import { hub, method, signedIn } from "dormouse-hubs/hub";
import * as z from "zod";

interface ChatClient {
  said(user: string, text: string): void;
}

export const ChatHub = hub<ChatClient>("chat", {
  rooms: { group: { enter: signedIn } },
  history: { size: 200, ttlSeconds: 24 * 3_600 },
})
  .presenceState(z.object({ typing: z.boolean() }))
  .methods({
    say: method([z.string().trim().min(1).max(2_000)], async ({ clients, room, user }, text) => {
      if (room.kind === "group") await clients.group(room.name).said(user.id, text);
    }),
  });

export type ChatHub = typeof ChatHub;
