// A channel for each order: a room with a log, which a client comes back to where it was.

import { authorize, hub, method, role, signedIn } from "dormouse-hubs/hub";
import * as z from "zod";

interface OrderClient {
  statusChanged(status: string): void;
}

const staff = authorize(role("Manager"));

export const OrderHub = hub<OrderClient>("order-channels", {
  rooms: { order: { enter: signedIn } },
  history: { size: 50, ttlSeconds: 24 * 3_600 },
}).methods({
  setStatus: staff.method([z.string(), z.string()], async ({ clients }, order, status) => {
    await clients.order(order).statusChanged(status);
  }),
  /** The newest statuses, the last one last. */
  statuses: method([z.string()], async ({ order }, id) => {
    const entries = await order(id).history.last(10);
    return entries.map(({ args }) => String(args[0]));
  }),
});
export type OrderHub = typeof OrderHub;
