// NotificationHub: notifications to groups and to users, wherever they are connected, messages on channels, and the
// status of orders. Back ends publish here, too.

import * as z from "zod/mini";
import { clientMethods, hub, method, named, returns, signedIn } from "../hub.ts";
import { inSmallGroup } from "./announce-members.ts";
import { OrderId, roomOf } from "./order-id.ts";
import { Price, pricesOf, Symbol } from "./prices.ts";

const Name = z.string().check(z.minLength(1), z.maxLength(128));
const Body = z.string().check(z.minLength(1), z.maxLength(4_000));
/** Any text: applications have levels of their own, in their own case. */
const Severity = z.string().check(z.maxLength(128));
/** The sender's own time, passed on unchanged; a number counts milliseconds since 1970. */
const Timestamp = z
  .union([
    z.string().check(z.maxLength(64)),
    z.date(),
    z.pipe(
      z.number(),
      z.transform((ms) => new Date(ms)),
    ),
  ])
  .check(z.refine((at) => !Number.isNaN(new Date(at).getTime()), "a date is expected"));

/** A notification, or only its body. */
const Message = z.union([
  z.pipe(
    Body,
    z.transform((body) => ({
      ...{ title: "Notification", body, severity: "info" },
      timestamp: undefined,
    })),
  ),
  z.object({
    ...{ title: Name, body: Body, severity: z._default(Severity, "info") },
    timestamp: z.optional(Timestamp),
  }),
]);

const Notification = z.object({
  ...{ title: z.string(), body: z.string(), severity: z.string() },
  /** The sender's time; without one, the time of the call on the server, ISO 8601 in UTC. */
  timestamp: z.union([z.string(), z.date()]),
});
export type Notification = z.output<typeof Notification>;

const User = named("user", z.string());

const NotificationClient = clientMethods({
  receiveNotification: [named("notification", Notification)],
  receiveMessage: [User, named("message", z.string())],
  /** Published by back ends; no method of this hub calls it. */
  orderStatusChanged: [named("orderId", OrderId), named("status", z.string())],
  userJoined: [User],
  userLeft: [User],
});

/** Makes the hub. `now` is the clock of timestamps, in milliseconds since 1970; tests replace it. */
export const notificationHub = ({ now = Date.now }: { now?: () => number } = {}) => {
  const withTimestamp = (message: z.output<typeof Message>): Notification => ({
    ...message,
    timestamp: message.timestamp ?? new Date(now()).toISOString(),
  });

  return hub("notifications", {
    client: NotificationClient,
    authorize: signedIn,
    rooms: {
      group: { enter: signedIn },
      // Back ends that name the groups of an ASP.NET application reach these rooms.
      order: { enter: signedIn, groups: ["order-", "order:"] },
      user: { groups: ["user:"] },
    },
    // `clients.user` reaches a user's connections in other rooms as well.
    reach: { users: true },
    joined: (context) =>
      inSmallGroup(context, context.room, (name) =>
        context.clients.group(name).userJoined(context.user.id),
      ),
    left: (context) =>
      inSmallGroup(context, context.room, (name) =>
        context.clients.group(name).userLeft(context.user.id),
      ),
  }).methods({
    /** Publishes to a group. The caller need not be a member. */
    sendToGroup: method([Name, Message], async ({ clients }, group, message) => {
      await clients.group(group).receiveNotification(withTimestamp(message));
    }),

    /** Sends to all connections of a user; none is no error. */
    sendToUser: method([Name, Message], async ({ clients }, userId, message) => {
      await clients.user(userId).receiveNotification(withTimestamp(message));
    }),

    /** Publishes to the group that is named like the channel. */
    sendMessage: method([Name, Body], async ({ clients, user }, channel, message) => {
      await clients.group(channel).receiveMessage(user.id, message);
    }),

    /** Follows an order: status changes reach this connection from here on. */
    joinOrderGroup: method([OrderId], ({ order }, orderId) => order(roomOf(orderId)).join()),

    leaveOrderGroup: method([OrderId], ({ order }, orderId) => order(roomOf(orderId)).leave()),

    /** The same as PriceHub's, for clients that have one connection for everything. */
    streamPrices: returns(Price).stream([Symbol], ({ signal }, symbol) => pricesOf(symbol, signal)),
  });
};

export const NotificationHub = notificationHub();
export type NotificationHub = typeof NotificationHub;
