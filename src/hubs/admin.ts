// AdminHub: alerts to every connection of the hub. Every method and every room requires the role Admin or Manager;
// sending an alert also requires the permission `users.manage`.

import * as z from "zod/mini";
import { authorize, claim, clientMethods, hub, named, role } from "../hub.ts";

const Message = z.string().check(z.minLength(1), z.maxLength(4_000));

const AdminClient = clientMethods({ alertReceived: [named("message", z.string())] });

const staff = role("Admin", "Manager");
const canManageUsers = claim("permissions", "users.manage");

/** Policies run in this order: the hub's, then the method's. */
export const AdminHub = hub("admin", {
  client: AdminClient,
  authorize: staff,
  rooms: { group: { enter: staff }, order: { enter: staff } },
}).methods({
  /** Calls `alertReceived` on every client of the tenant. Throws `forbidden` without the permission. */
  broadcastAlert: authorize(canManageUsers).method([Message], async ({ clients }, message) => {
    await clients.all.alertReceived(message);
  }),
});

export type AdminHub = typeof AdminHub;
