// Orders: each has a room, and a feed of events. Services publish; buyers follow.

import { authorize, feed, hub, method, role, SERVICE_ROLE, signedIn } from "dormouse-hubs/hub";
import * as z from "zod";

const OrderId = z.string().regex(/^[\w-]{1,64}$/);
export const Status = z.enum(["placed", "paid", "shipped", "delivered"]);
export type Status = z.output<typeof Status>;

interface OrderClient {
  statusChanged(order: string, status: Status): void;
}

const staff = authorize(role("Manager", SERVICE_ROLE));

export const OrderHub = hub<OrderClient>("orders", {
  rooms: { order: { enter: signedIn } },
  history: { size: 20, ttlSeconds: 30 * 24 * 3_600 },
}).methods({
  follow: method([OrderId], ({ order }, id) => order(id).join()),
  unfollow: method([OrderId], ({ order }, id) => order(id).leave()),
  setStatus: staff.method([OrderId, Status], async ({ clients }, id, status) => {
    await clients.order(id).statusChanged(id, status);
  }),
});

export type OrderHub = typeof OrderHub;

/** `new EventSource("/events/orders/42?access_token=…")` gets `status` events. */
export const orderFeed = feed("/events/orders/:id", OrderHub, {
  room: ({ params }) => `order:${params.id}`,
  events: { statusChanged: { name: "status", data: (order, status) => ({ order, status }) } },
});
