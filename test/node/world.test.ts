// A world in plain Node, without the engine: as tests of the package's users run.

import { expect, it } from "vitest";
import { world } from "../../src/dispatch/testing/testing.ts";
import { ChatHub } from "../../src/hubs/chat.ts";
import { UploadHub } from "../../src/hubs/uploads.ts";

it("a world has several callers in plain Node", async () => {
  const chat = world(ChatHub);
  const alice = await chat.connect({ user: "alice" });
  const bob = await chat.connect({ user: "bob", room: "group:lobby" });
  await alice.invoke.joinRoom("lobby");
  await alice.invoke.sendToRoom("lobby", "hello");
  await alice.lose();
  await chat.advance(6_000);
  expect(bob.received.map(({ method, args }) => [method, ...args])).toEqual([
    ["userJoined", "bob", "lobby"],
    ["userJoined", "alice", "lobby"],
    ["receiveMessage", "alice", "hello"],
    ["userLeft", "alice", "lobby"],
  ]);
});

it("a world takes streams and gives them in plain Node", async () => {
  const uploads = world(UploadHub);
  const alice = await uploads.connect();
  async function* readings() {
    for (const value of [1, 2, 3]) yield { sensor: "a", value, timestamp: 0 };
  }
  expect(await alice.invoke.uploadData(readings())).toMatchObject({ count: 3, mean: 2 });
});
