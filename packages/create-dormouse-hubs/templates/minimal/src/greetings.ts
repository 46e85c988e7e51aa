// A hub: what clients may call, and who may be in its rooms. Its type is all that clients need.

import { hub, method, signedIn } from "dormouse-hubs/hub";
import * as z from "zod";

/** What the hub calls on its clients. */
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
