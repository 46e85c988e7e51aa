// DemoHub: everything on the demo page, in one hub, so that a page costs one socket: a room with chat and an auction,
// an order, notifications and prices. The page shows the regions as the code of its panels.

import * as z from "zod/mini";
import {
  action,
  authorize,
  hub,
  HubError,
  internal,
  method,
  role,
  signedIn,
  stream,
} from "../hub.ts";
import { inSmallGroup } from "./announce-members.ts";
import { pricesOf, Symbol } from "./prices.ts";

const Name = z.string().check(z.minLength(1), z.maxLength(128));
const Text = z.string().check(z.minLength(1), z.maxLength(4_000));
const Amount = z.number().check(z.int(), z.positive(), z.maximum(1_000_000_000));

interface DemoClient {
  receiveMessage(user: string, text: string): void;
  userJoined(user: string, room: string): void;
  userLeft(user: string, room: string): void;
  orderStatusChanged(orderId: string, status: string): void;
  receiveNotification(from: string, text: string): void;
  outbid(price: number): void;
}

// #region auction
const Auction = z.object({
  price: z.number(),
  leader: z.optional(z.string()),
  endsAt: z.optional(z.number()),
  sold: z.boolean(),
});
const SECONDS_TO_BID = 30;
const newAuction = { price: 0, sold: false };
// #endregion

// #region order
const staff = authorize(role("Admin", "Manager"));
// #endregion

export const DemoHub = hub<DemoClient>("demo", {
  // #region rooms
  authorize: signedIn,
  rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
  // #endregion
  // #region chat
  joined: ({ clients, user, room, group }) =>
    inSmallGroup({ group }, room, (name) => clients.group(name).userJoined(user.id, name)),
  left: ({ clients, user, room, group }) =>
    inSmallGroup({ group }, room, (name) => clients.group(name).userLeft(user.id, name)),
  // #endregion
})
  // #region auction
  .state("group", { schema: Auction, initial: newAuction })
  .internal({
    close: internal([], ({ state }) => {
      state.sold = true;
    }),
  })
  .actions({
    bid: action([Amount], ({ state, user, clients, schedule, now }, amount) => {
      if (state.sold) throw new HubError("auction_closed", "This auction is over.");
      if (amount <= state.price) throw new HubError("too_low", `${state.price} was bid already.`);
      if (state.leader !== undefined && state.leader !== user.id)
        clients.user(state.leader).outbid(amount);
      const endsAt = now + SECONDS_TO_BID * 1000;
      Object.assign(state, { price: amount, leader: user.id, endsAt });
      schedule.in(SECONDS_TO_BID).close();
    }),
    restart: action([], (context) => {
      if (!context.state.sold) throw new HubError("open", "This auction is not over.");
      context.state = newAuction;
    }),
  })
  // #endregion
  .methods({
    // #region chat
    /** Publishes to a group. */
    sendToRoom: method([Name, Text], async ({ clients, user }, room, text) => {
      await clients.group(room).receiveMessage(user.id, text);
    }),
    // #endregion
    // #region readers
    /** Enters a group, for SignalR's clients, which know no rooms. */
    joinRoom: method([Name], ({ group }, room) => group(room).join()),
    // #endregion
    // #region order
    /** Publishes a status to the followers of an order. Throws `forbidden` for other roles. */
    updateOrderStatus: staff.method([Name, Name], async ({ clients }, orderId, status) => {
      await clients.order(orderId).orderStatusChanged(orderId, status);
    }),
    // #endregion
    // #region notify
    /** Reaches all of a user's connections, on each device. */
    notify: method([Name, Text], async ({ clients, user }, to, text) => {
      await clients.user(to).receiveNotification(user.id, text);
    }),
    // #endregion
    // #region price
    /** One walk for each symbol: every window shows the same price. */
    streamPrices: stream([Symbol], ({ signal }, symbol) => pricesOf(symbol, signal)),
    // #endregion
  });

export type DemoHub = typeof DemoHub;
