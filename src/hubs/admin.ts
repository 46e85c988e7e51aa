// AdminHub: alerts to every connection of the hub. Every method and every room requires the role Admin or Manager;
// sending an alert also requires the permission `users.manage`.

import { z } from "zod";
import { authorize, claim, hub, role } from "../hub.ts";

const Message = z.string().min(1).max(4_000);

interface AdminClient {
  alertReceived(message: string): void;
}

const staff = role("Admin", "Manager");
const canManageUsers = claim("permissions", "users.manage");

/** Policies run in this order: the hub's, then the method's. */
export const AdminHub = hub<AdminClient>("admin", {
  authorize: staff,
  rooms: { group: { enter: staff }, order: { enter: staff } },
}).methods({
  /** Calls `alertReceived` on every client of the tenant. Throws `forbidden` without the permission. */
  broadcastAlert: authorize(canManageUsers).method([Message], async ({ clients }, message) => {
    await clients.all.alertReceived(message);
  }),
});

export type AdminHub = typeof AdminHub;
