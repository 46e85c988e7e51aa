// OrderHub: one room per order. Customers follow their orders; staff and back ends publish the status. The group
// `updates` has every order's, for pages that show them all: it is the feed at /events/orders.

import * as z from "zod/mini";
import {
  authorize,
  clientMethods,
  feed,
  hub,
  method,
  named,
  role,
  SERVICE_ROLE,
  signedIn,
} from "../hub.ts";
import { OrderId, roomOf } from "./order-id.ts";

const Status = z.string().check(z.minLength(1), z.maxLength(128));

/** An order in the feed. */
const OrderUpdate = z.object({ orderId: OrderId, status: Status });

const OrderClient = clientMethods({
  orderStatusChanged: [named("orderId", OrderId), named("status", Status)],
  /** Sent to the group `updates`. */
  orderUpdated: [named("order", OrderUpdate)],
});

/** The group with the updates of all orders. */
const UPDATES = "updates";

/** Roles that may publish a status. */
const staff = authorize(role("Admin", "Manager", SERVICE_ROLE));

export const OrderHub = hub("orders", {
  client: OrderClient,
  authorize: signedIn,
  rooms: {
    group: { enter: signedIn },
    // In ASP.NET an order's room is a group: back ends that name it `order-42` reach the room.
    order: { enter: signedIn, groups: ["order-", "order:"] },
  },
}).methods({
  /** Follows an order: status changes reach this connection from here on. */
  joinOrderGroup: method([OrderId], ({ order }, orderId) => order(roomOf(orderId)).join()),

  leaveOrderGroup: method([OrderId], ({ order }, orderId) => order(roomOf(orderId)).leave()),

  /** Publishes a new status to the followers of the order. Throws `forbidden` for other roles. */
  updateOrderStatus: staff.method([OrderId, Status], async ({ clients }, orderId, status) => {
    await clients.order(roomOf(orderId)).orderStatusChanged(orderId, status);
    await clients.group(UPDATES).orderUpdated({ orderId, status });
  }),
});

export type OrderHub = typeof OrderHub;

/** The updates of all orders as Server-Sent Events: `order-update`, with the order as its data. */
export const orderFeed = feed("/events/orders", OrderHub, {
  room: `group:${UPDATES}`,
  events: { orderUpdated: { name: "order-update", data: (order) => order } },
});
