// A hub whose rooms have state, for tests of clients. Only its type is used.

import * as z from "zod";
import { action, hub } from "../../src/hub.ts";

const Auction = z.object({
  price: z.number(),
  leader: z.string().optional(),
  bids: z.record(z.string(), z.object({ amount: z.number() })),
});
export type Auction = z.output<typeof Auction>;

interface Client {
  outbid(by: string): void;
}

const AuctionHub = hub<Client>("auctions")
  .state("group", { schema: Auction, initial: { price: 0, bids: {} } })
  .actions({
    bid: action([z.number()], (_context, amount) => amount),
    name: action([z.string(), z.string().optional()], () => {}),
  });

export type AuctionHub = typeof AuctionHub;
