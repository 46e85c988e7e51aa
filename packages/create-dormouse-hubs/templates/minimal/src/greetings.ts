// A hub: the methods that clients may call, and the rules of its rooms. Clients need only its type.

import { hub, method, signedIn } from "dormouse-hubs/hub";
import * as z from "zod";

/** Client methods, which the hub calls. */
interface GreetingClient {
  greeted(from: string, text: string): void;
}

export const GreetingHub = hub<GreetingClient>("greetings", {
  rooms: { group: { enter: signedIn } },
}).methods({
  /** Greets everybody in the room that the caller is connected to. */
  greet: method([z.string().min(1).max(200)], async ({ clients, room, user }, text) => {
    if (room.kind === "group") await clients.group(room.name).greeted(user.id, text);
  }),
});

export type GreetingHub = typeof GreetingHub;
