// Orders: one room each. Customers follow theirs; staff and back ends say how it stands.

import { z } from "zod";
import { authorize, hub, method, role, SERVICE_ROLE, signedIn } from "../hub.ts";

const OrderId = z.string().min(1).max(128);
const Status = z.string().min(1).max(128);

export interface OrderClient {
  orderStatusChanged(orderId: string, status: string): void;
}

const staff = authorize(role("Admin", "Manager", SERVICE_ROLE));

export const OrderHub = hub<OrderClient>("orders", {
  authorize: signedIn,
  rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
}).methods({
  joinOrderGroup: method([OrderId], ({ order }, orderId) => order(orderId).join()),

  leaveOrderGroup: method([OrderId], ({ order }, orderId) => order(orderId).leave()),

  updateOrderStatus: staff.method([OrderId, Status], async ({ clients }, orderId, status) => {
    await clients.order(orderId).orderStatusChanged(orderId, status);
  }),
});

export type OrderHub = typeof OrderHub;
