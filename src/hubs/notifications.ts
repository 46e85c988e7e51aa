// Notifications to groups and to users, wherever those are attached. Back ends push here too.

import { z } from "zod";
import { hub, method, signedIn } from "../hub.ts";
import { comings } from "./announce-members.ts";

const Name = z.string().min(1).max(128);
const Body = z.string().min(1).max(4_000);
const Severity = z.enum(["info", "success", "warning", "error"]);

/** A notice, or only its body. */
const Message = z.union([
  Body.transform((body) => ({ title: "Notification", body, severity: "info" as const })),
  z.object({ title: Name, body: Body, severity: Severity.default("info") }),
]);

export interface Notification {
  readonly title: string;
  readonly body: string;
  readonly severity: z.output<typeof Severity>;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
}

export interface NotificationClient {
  receiveNotification(notification: Notification): void;
  orderStatusChanged(orderId: string, status: string): void;
  userJoined(user: string, room: string): void;
  userLeft(user: string, room: string): void;
}

export const notificationHub = ({ now = Date.now }: { now?: () => number } = {}) => {
  const stamped = (message: z.output<typeof Message>): Notification => ({
    ...message,
    timestamp: new Date(now()).toISOString(),
  });

  return hub<NotificationClient>("notifications", {
    authorize: signedIn,
    rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
    reach: { users: true },
    ...comings<NotificationClient>(),
  }).methods({
    sendToGroup: method([Name, Message], async ({ clients }, group, message) => {
      await clients.group(group).receiveNotification(stamped(message));
    }),

    sendToUser: method([Name, Message], async ({ clients }, userId, message) => {
      await clients.user(userId).receiveNotification(stamped(message));
    }),
  });
};

export const NotificationHub = notificationHub();
export type NotificationHub = typeof NotificationHub;
