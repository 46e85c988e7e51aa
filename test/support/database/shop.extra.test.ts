// shop.test.ts: with vitest in plain Node.
import { expect, it } from "vitest";
import { calling, world } from "dormouse-hubs/testing";
import { ShopHub } from "./shop.ts";

const ORDER = "0f8fad5b-d9cb-469f-a165-70867728950e";

/** Replaces the object: the method that the hub calls. */
const stockWith = (left: number | undefined) => ({
  STOCK: { getByName: () => ({ take: async () => left }) },
});

it("takes from the stock, and publishes the rest", async () => {
  const { invoke, sent } = calling(ShopHub, { env: stockWith(3) });
  expect(await invoke.take("tea", ORDER, 7)).toBe(3);
  expect(sent).toEqual([{ to: "group:tea", method: "left", args: ["tea", 3] }]);
});

it("refuses more than the stock has", async () => {
  const { invoke } = calling(ShopHub, { env: stockWith(undefined) });
  await expect(invoke.take("tea", ORDER, 7)).rejects.toMatchObject({ code: "sold_out" });
});

it("reaches every customer, and knows who is present", async () => {
  const shop = world(ShopHub, { env: stockWith(3) });
  const alice = await shop.connect({ user: "alice", room: "group:tea" });
  const bob = await shop.connect({ user: "bob" });
  await bob.join("group:tea");
  await bob.invoke.take("tea", ORDER, 7);
  expect(alice.received).toMatchObject([{ method: "left", args: ["tea", 3] }]);
  await bob.lose();
  await shop.advance(6_000); // the grace of 5 s, and the second in which it ends
  const { presence } = shop.room("group:tea");
  expect(await presence.list()).toMatchObject([{ userId: "alice" }]);
});
