// AuctionHub: one auction in each room. The highest bid leads. After each bid the others have thirty seconds, then the
// auction closes. Bids are actions, because they must be compared one after the other.

import * as z from "zod";
import { action, hub, HubError, internal, signedIn } from "dormouse-hubs/hub";

const Auction = z.object({
  item: z.string(),
  price: z.number(),
  /** A user id. */
  leader: z.string().optional(),
  /** Milliseconds since 1970. */
  endsAt: z.number().optional(),
  sold: z.boolean(),
});

export interface BidderClient {
  outbid(item: string, price: number): void;
  sold(item: string, price: number, to?: string): void;
}

const SECONDS_TO_BID = 30;

const newAuction = (item: string): z.output<typeof Auction> => ({ item, price: 0, sold: false });

export const AuctionHub = hub<BidderClient>("auctions", {
  rooms: { group: { enter: signedIn } },
  // `outbid` reaches bidders in whichever room they are.
  reach: { users: true },
})
  .state("group", {
    schema: Auction,
    initial: ({ name }) => newAuction(name),
  })
  .internal({
    close: internal([], ({ state, clients }) => {
      state.sold = true;
      clients.room.sold(state.item, state.price, state.leader);
    }),
  })
  .actions({
    /** Returns the time at which the auction ends, unless a higher bid comes. Throws `auction_closed`, `too_low`. */
    bid: action(
      [z.number().int().positive().max(1_000_000_000)],
      ({ state, user, clients, schedule, now }, amount) => {
        if (state.sold) throw new HubError("auction_closed", "This auction is over.");
        if (amount <= state.price)
          throw new HubError("too_low", `${state.price} was bid already: bid more.`);
        if (state.leader !== undefined && state.leader !== user.id)
          clients.user(state.leader).outbid(state.item, amount);
        const endsAt = now + SECONDS_TO_BID * 1000;
        Object.assign(state, { price: amount, leader: user.id, endsAt });
        schedule.in(SECONDS_TO_BID).close();
        return endsAt;
      },
    ),
    /** Starts a new auction. Throws `open` while this one is not over. */
    restart: action([], (context) => {
      if (!context.state.sold) throw new HubError("open", "This auction is not over.");
      context.state = newAuction(context.state.item);
    }),
  });

export type AuctionHub = typeof AuctionHub;
