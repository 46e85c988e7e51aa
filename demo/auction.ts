// The auction panel: the state of the room. It shows the price as the room holds it, bids, and counts the seconds down.
// A bid shows at once, by a guess, and goes back where somebody was quicker.

import type { HubConnection } from "../src/client/index.ts";
import type { DemoHub } from "../src/hubs/demo.ts";
import type { Guesses, RoomState } from "../src/state/index.ts";
import { attempt, byId, sentence, within } from "./dom.ts";
import { toast } from "./toasts.ts";

type Auction = NonNullable<RoomState<DemoHub>["state"]>;

// #region page
export const guessesOf = (userId: string): Guesses<DemoHub> => ({
  bid(auction, amount) {
    if (!auction.sold && amount > auction.price)
      Object.assign(auction, { price: amount, leader: userId });
  },
});
// #endregion

interface Parts {
  readonly auction: RoomState<DemoHub>;
  readonly demo: HubConnection<DemoHub>;
}

/** Returns the function that updates the countdown. */
export function auctionPanel({ auction, demo }: Parts, userId: string): (now: number) => void {
  const error = byId("auction-error");
  const bids = byId("auction-bids");
  // #region page
  bids.addEventListener("click", ({ target }) => {
    const by = Number((target as HTMLElement).dataset["by"]);
    if (by > 0) void attempt(error, () => auction.run.bid((auction.state?.price ?? 0) + by));
  });
  auction.onState((state) => show(state, userId));
  // #endregion
  byId("auction-restart").addEventListener("click", () => {
    void attempt(error, () => auction.run.restart());
  });
  demo.on("outbid", (price) =>
    toast({ title: "You were outbid", text: `${price} for a hazelnut` }),
  );
  return (now) => {
    const { endsAt, sold = true } = auction.state ?? {};
    const time = byId("auction-time", HTMLProgressElement);
    // The clock of the server may be another.
    const left = sold || endsAt === undefined ? 0 : (endsAt - now) / 1000;
    const seconds = Math.min(time.max, Math.max(0, left));
    time.value = seconds;
    byId("auction-seconds").textContent = seconds > 0 ? `${Math.ceil(seconds)} s` : "";
  };
}

function show({ price, leader, sold }: Auction, userId: string): void {
  byId("auction-price").textContent = String(price);
  byId("auction-status").replaceChildren(statusOf({ leader, sold }, userId));
  byId("auction-bids").hidden = sold;
  byId("auction-restart").hidden = !sold;
  within(document, ".auction").dataset["lead"] = String(leader === userId);
}

function statusOf(
  { leader, sold }: Pick<Auction, "leader" | "sold">,
  userId: string,
): Node | string {
  if (leader === undefined) return "no bid yet";
  const name = leader === userId ? "you" : leader;
  if (sold) return sentence`sold to ${name}`;
  return leader === userId ? "you lead" : sentence`${leader} leads`;
}
