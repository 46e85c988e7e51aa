import { world } from "dormouse-hubs/testing";
import { expect, it } from "vitest";
import { ChatHub } from "../src/chat.ts";

it("sends a message to everybody", async () => {
  const chat = world(ChatHub);
  const alice = await chat.connect({ user: "alice" });
  const bob = await chat.connect({ user: "bob" });
  await bob.invoke.sendMessage("Bob", "hello");
  const message = { method: "receiveMessage", args: ["Bob", "hello"] };
  expect([alice.received, bob.received]).toMatchObject([[message], [message]]);
});
