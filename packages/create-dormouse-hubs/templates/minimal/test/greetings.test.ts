import { world } from "dormouse-hubs/testing";
import { expect, it } from "vitest";
import { GreetingHub } from "../src/greetings.ts";

it("greets everybody in the room", async () => {
  const greetings = world(GreetingHub);
  const alice = await greetings.connect({ user: "alice", room: "group:lobby" });
  const bob = await greetings.connect({ user: "bob", room: "group:lobby" });
  await bob.invoke.greet("hello");
  expect(alice.received).toMatchObject([{ method: "greeted", args: ["bob", "hello"] }]);
});

it("takes no empty greeting", async () => {
  const alice = await world(GreetingHub).connect({ user: "alice", room: "group:lobby" });
  await expect(alice.invoke.greet("")).rejects.toMatchObject({ code: "invalid_arguments" });
});
