// AuctionHub through the real worker, with our client.

import { abortAllDurableObjects, runDurableObjectAlarm } from "cloudflare:test";
import { expect, it, onTestFinished, vi } from "vitest";
import { AuctionHub } from "../../src/hubs/auction.ts";
import { outcomeOf } from "../client/server.ts";
import { roomAt } from "../rooms/client.ts";
import { entered, until } from "../state/rooms.ts";

const people = Array.from({ length: 10 }, (_, i) => `bidder-${i}`);

it("gives one of ten who bid the same at once the lead, and shows all the same", async () => {
  const all = await Promise.all(people.map((user) => entered(AuctionHub, { room: "race", user })));
  for (let price = 1; price <= 5; price += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one race after another
    const outcomes = await Promise.all(all.map(({ room }) => outcomeOf(room.run.bid(price))));
    expect(outcomes.filter((outcome) => "value" in (outcome as object))).toHaveLength(1);
    expect(
      outcomes.filter((outcome) => JSON.stringify(outcome) === '{"code":"too_low"}'),
    ).toHaveLength(9);
  }
  await Promise.all(all.map(({ room }) => until(room, ({ price }) => price === 5)));
  const [first] = all;
  for (const { room } of all) expect(room.state).toEqual(first?.room.state);
});

it("tells the leader that a higher bid has come", async () => {
  const alice = await entered(AuctionHub, { room: "outbid" });
  const bob = await entered(AuctionHub, { room: "outbid", user: "bob" });
  const outbid = vi.fn<(item: string, price: number) => void>();
  alice.on("outbid", outbid);
  await alice.room.run.bid(10);
  await bob.room.run.bid(20);
  await vi.waitUntil(() => outbid.mock.calls.length > 0);
  expect(outbid.mock.calls).toEqual([["outbid", 20]]);
});

it("is sold thirty seconds after the last bid, though the room was reset meanwhile", async () => {
  const alice = await entered(AuctionHub, { room: "clock" });
  const sold = vi.fn<(...sale: unknown[]) => void>();
  alice.on("sold", sold);
  const endsAt = await alice.room.run.bid(70);
  await abortAllDurableObjects();
  await vi.waitUntil(() => alice.state.status === "connected", { timeout: 5_000 });
  vi.useFakeTimers({ toFake: ["Date"], now: endsAt });
  onTestFinished(() => void vi.useRealTimers());
  await runDurableObjectAlarm(roomAt("auctions/group:clock"));
  await until(alice.room, (state) => state.sold);
  await vi.waitUntil(() => sold.mock.calls.length > 0);
  expect(sold.mock.calls).toEqual([["clock", 70, "alice"]]);
  expect(await outcomeOf(alice.room.run.bid(80))).toEqual({ code: "auction_closed" });
  await alice.room.run.restart();
  expect(alice.room.state).toEqual({ item: "clock", price: 0, sold: false });
});

it("shows a guess at once, and takes it back where the bid is refused", async () => {
  const guesses = {
    bid: (state: { price: number }, amount: number) => void (state.price = amount),
  };
  const alice = await entered(AuctionHub, { room: "guess", guesses });
  await alice.room.run.bid(50);
  const prices: number[] = [];
  alice.room.onState(({ price }) => void (price !== prices.at(-1) && prices.push(price)));
  expect(await outcomeOf(alice.room.run.bid(40))).toEqual({ code: "too_low" });
  await alice.room.run.bid(60);
  expect(prices).toEqual([50, 40, 50, 60]);
});
