import { world } from "dormouse-hubs/testing";
import { expect, it } from "vitest";
import { OrderHub } from "../src/orders.ts";

it("tells those who follow an order, and nobody else", async () => {
  const orders = world(OrderHub);
  const alice = await orders.connect({ user: "alice" });
  const bob = await orders.connect({ user: "bob" });
  const staff = await orders.connect({ user: { id: "shop", roles: ["Manager"] } });
  await alice.invoke.follow("42");
  await bob.invoke.follow("43");
  await staff.invoke.setStatus("42", "shipped");
  expect(alice.received).toMatchObject([{ method: "statusChanged", args: ["42", "shipped"] }]);
  expect(bob.received).toEqual([]);
});

it("lets staff set a status, and no buyer", async () => {
  const alice = await world(OrderHub).connect({ user: "alice" });
  await expect(alice.invoke.setStatus("42", "paid")).rejects.toMatchObject({ code: "forbidden" });
});
