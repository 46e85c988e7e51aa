// Worlds in plain Node, as a program: test/node/world.test.ts runs it and reads what it prints.

import { world } from "../../src/dispatch/testing/testing.ts";
import { ChatHub } from "../../src/hubs/chat.ts";
import { UploadHub } from "../../src/hubs/uploads.ts";

async function chatting(): Promise<unknown> {
  const chat = world(ChatHub);
  const alice = await chat.connect({ user: "alice" });
  const bob = await chat.connect({ user: "bob", room: "group:lobby" });
  await alice.invoke.joinRoom("lobby");
  await alice.invoke.sendToRoom("lobby", "hello");
  await alice.lose();
  await chat.advance(6_000);
  return bob.received.map(({ method, args }) => [method, ...args]);
}

async function uploading(): Promise<unknown> {
  const alice = await world(UploadHub).connect();
  async function* readings() {
    for (const value of [1, 2, 3]) yield { sensor: "a", value, timestamp: 0 };
  }
  return alice.invoke.uploadData(readings());
}

console.log(JSON.stringify({ chat: await chatting(), upload: await uploading() }));
