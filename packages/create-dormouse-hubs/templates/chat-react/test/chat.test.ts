import { world } from "dormouse-hubs/testing";
import { expect, it } from "vitest";
import { ChatHub } from "../src/chat.ts";

it("says to everybody in the room, and keeps it", async () => {
  const chat = world(ChatHub);
  const alice = await chat.connect({ user: "alice", room: "group:lobby" });
  const bob = await chat.connect({ user: "bob", room: "group:lobby" });
  await bob.invoke.say(" hello ");
  expect(alice.received).toMatchObject([{ method: "said", args: ["bob", "hello"] }]);
  expect(await chat.room("group:lobby").history.last(1)).toMatchObject([
    { args: ["bob", "hello"] },
  ]);
});

it("takes nothing but text", async () => {
  const alice = await world(ChatHub).connect({ user: "alice", room: "group:lobby" });
  await expect(alice.invoke.say("  ")).rejects.toMatchObject({ code: "invalid_arguments" });
});
