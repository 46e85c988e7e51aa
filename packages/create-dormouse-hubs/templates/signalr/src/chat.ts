// The hub of Microsoft's tutorial "Get started with ASP.NET Core SignalR". There it is:
//
//   public class ChatHub : Hub
//   {
//       public async Task SendMessage(string user, string message)
//       {
//           await Clients.All.SendAsync("ReceiveMessage", user, message);
//       }
//   }

import { hub, method } from "dormouse-hubs/hub";
import * as z from "zod";

interface ChatClient {
  receiveMessage(user: string, message: string): void;
}

/** The tutorial has no sign-in: its clients are guests. Without `anonymous` each needs a token. */
export const ChatHub = hub<ChatClient>("chat", { anonymous: true }).methods({
  // Clients call it `SendMessage`: case does not count on the way in.
  sendMessage: method(
    [z.string().max(100), z.string().min(1).max(4_000)],
    async ({ clients }, user, message) => {
      await clients.all.receiveMessage(user, message);
    },
  ),
});

export type ChatHub = typeof ChatHub;
