// Alerts to everybody in the hub. Every method and every room needs staff; alerting needs a permission beside.

import { z } from "zod";
import { authorize, claim, hub, role } from "../hub.ts";

const Message = z.string().min(1).max(4_000);

export interface AdminClient {
  alertReceived(message: string): void;
}

const staff = role("Admin", "Manager");
const canManageUsers = claim("permissions", "users.manage");

/** The hub's policy runs first, then the method's. */
export const AdminHub = hub<AdminClient>("admin", {
  authorize: staff,
  rooms: { group: { enter: staff }, order: { enter: staff } },
}).methods({
  broadcastAlert: authorize(canManageUsers).method([Message], async ({ clients }, message) => {
    await clients.all.alertReceived(message);
  }),
});

export type AdminHub = typeof AdminHub;
