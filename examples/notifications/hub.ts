// Notifications to a user, wherever they are connected, and to groups. Clients have a typed interface, as in SignalR.

import { authorize, hub, method, role, signedIn } from "dormouse-hubs/hub";
import * as z from "zod";

const Notification = z.object({
  title: z.string().min(1),
  body: z.string(),
  level: z.enum(["info", "alert"]),
});
export type Notification = z.output<typeof Notification>;

interface NotificationClient {
  notified(notification: Notification): void;
}

const staff = authorize(role("Manager"));

export const NotificationHub = hub<NotificationClient>("notifications", {
  authorize: signedIn,
}).methods({
  subscribe: method([z.string()], ({ group }, name) => group(name).join()),
  notifyUser: staff.method([z.string(), Notification], async ({ clients }, user, notification) => {
    await clients.user(user).notified(notification);
  }),
  notifyGroup: staff.method([z.string(), Notification], async ({ clients }, name, notification) => {
    await clients.group(name).notified(notification);
  }),
});
export type NotificationHub = typeof NotificationHub;
