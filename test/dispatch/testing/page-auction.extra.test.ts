// The auction of docs/state.md, word for word, as a test of an application would play it.

import { expect, it } from "vitest";
import { callingRoom } from "../../../src/dispatch/testing/testing.ts";
import { AuctionHub } from "../../support/database/auction.ts";

it("the page's auction takes higher bids, tells who was outbid, and closes by itself", async () => {
  const alice = callingRoom(AuctionHub, { user: { id: "alice" }, room: "group:vase", now: 0 });
  const bob = alice.as({ id: "bob" });
  expect(await alice.run.bid(10)).toBe(30_000);
  await expect(bob.run.bid(10)).rejects.toMatchObject({ code: "too_low" });
  await alice.advance(20);
  await bob.run.bid(12);
  expect(alice.sent).toEqual([{ to: "user:alice", method: "outbid", args: ["vase", 12] }]);
  await alice.advance(29);
  expect(alice.state.sold).toBe(false);
  await alice.advance(1);
  expect(alice.state).toMatchObject({ price: 12, leader: "bob", sold: true });
  expect(alice.sent.at(-1)).toEqual({
    to: "group:vase",
    method: "sold",
    args: ["vase", 12, "bob"],
  });
  await expect(alice.run.bid(99)).rejects.toMatchObject({ code: "auction_closed" });
});
