// OrderHub: one room per order. Customers follow their orders; staff and back ends publish the status.

import { z } from "zod";
import { authorize, hub, method, role, SERVICE_ROLE, signedIn } from "../hub.ts";

const OrderId = z.string().min(1).max(128);
const Status = z.string().min(1).max(128);

interface OrderClient {
  orderStatusChanged(orderId: string, status: string): void;
}

/** Roles that may publish a status. */
const staff = authorize(role("Admin", "Manager", SERVICE_ROLE));

export const OrderHub = hub<OrderClient>("orders", {
  authorize: signedIn,
  rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
}).methods({
  /** Follows an order: status changes reach this connection from here on. */
  joinOrderGroup: method([OrderId], ({ order }, orderId) => order(orderId).join()),

  leaveOrderGroup: method([OrderId], ({ order }, orderId) => order(orderId).leave()),

  /** Publishes a new status to the followers of the order. Throws `forbidden` for other roles. */
  updateOrderStatus: staff.method([OrderId, Status], async ({ clients }, orderId, status) => {
    await clients.order(orderId).orderStatusChanged(orderId, status);
  }),
});

export type OrderHub = typeof OrderHub;
