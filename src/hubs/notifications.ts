// NotificationHub: notifications to groups and to users, wherever they are connected. Back ends publish here, too.

import { z } from "zod";
import { hub, method, signedIn } from "../hub.ts";
import { announceMembers } from "./announce-members.ts";

const Name = z.string().min(1).max(128);
const Body = z.string().min(1).max(4_000);
const Severity = z.enum(["info", "success", "warning", "error"]);

/** A notification, or its body alone. */
const Message = z.union([
  Body.transform((body) => ({ title: "Notification", body, severity: "info" as const })),
  z.object({ title: Name, body: Body, severity: Severity.default("info") }),
]);

export interface Notification {
  readonly title: string;
  readonly body: string;
  readonly severity: z.output<typeof Severity>;
  /** Time of the call on the server, ISO 8601 in UTC. */
  readonly timestamp: string;
}

interface NotificationClient {
  receiveNotification(notification: Notification): void;
  /** Published by back ends; no method of this hub calls it. */
  orderStatusChanged(orderId: string, status: string): void;
  userJoined(user: string, room: string): void;
  userLeft(user: string, room: string): void;
}

/** Makes the hub. `now` is the clock of timestamps, in milliseconds since 1970; tests replace it. */
export const notificationHub = ({ now = Date.now }: { now?: () => number } = {}) => {
  const withTimestamp = (message: z.output<typeof Message>): Notification => ({
    ...message,
    timestamp: new Date(now()).toISOString(),
  });

  return hub<NotificationClient>("notifications", {
    authorize: signedIn,
    rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
    // `clients.user` reaches a user's connections in other rooms as well.
    reach: { users: true },
    ...announceMembers<NotificationClient>(),
  }).methods({
    /** Publishes to a group. The caller need not be a member. */
    sendToGroup: method([Name, Message], async ({ clients }, group, message) => {
      await clients.group(group).receiveNotification(withTimestamp(message));
    }),

    /** Sends to all connections of a user; none is no error. */
    sendToUser: method([Name, Message], async ({ clients }, userId, message) => {
      await clients.user(userId).receiveNotification(withTimestamp(message));
    }),
  });
};

export const NotificationHub = notificationHub();
export type NotificationHub = typeof NotificationHub;
