// Orders as Server-Sent Events, with names and data of the application's own, for EventSource and curl.

import { authorize, feed, hub, role, signedIn } from "dormouse-hubs/hub";
import * as z from "zod";

interface FeedClient {
  orderUpdated(id: string, status: string): void;
}

export const FeedHub = hub<FeedClient>("sse-feed", {
  rooms: { group: { enter: signedIn } },
}).methods({
  update: authorize(role("Manager")).method(
    [z.string(), z.string()],
    async ({ clients }, id, status) => {
      await clients.group("updates").orderUpdated(id, status);
    },
  ),
});
export type FeedHub = typeof FeedHub;

/** A reader that comes back sends Last-Event-ID, and gets what it missed. */
export const feeds = [
  feed("/events/orders", FeedHub, {
    room: "group:updates",
    events: { orderUpdated: { name: "order-update", data: (id, status) => ({ id, status }) } },
  }),
];
