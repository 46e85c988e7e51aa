// ChatHub with several devices of one user: each join and each leave is announced once, as in the sample in C#.

import { expect, it } from "vitest";
import { Client, token, upgrade } from "../rooms/client.ts";

/** A device on a connection to the whole hub. */
async function device(user: string): Promise<Client> {
  const response = await upgrade(`/hubs/chat/rpc?access_token=${await token(user)}`);
  return new Client(response.webSocket!);
}

/** What the client was told of others in the room, after a message that ends it. */
async function announcements(client: Client, room: string, word: string): Promise<string[]> {
  await client.call("sendToRoom", [room, word]);
  await client.next(({ method, params }) => method === "receiveMessage" && params[1] === word);
  return client.heard
    .filter(({ method }) => method === "userJoined" || method === "userLeft")
    .map(({ method, params }) => `${method} ${params[0]}`);
}

it("each device that joins or leaves a room is announced once, and the last one too", async () => {
  using watcher = await device("watcher");
  await watcher.call("joinRoom", ["devices"]);
  using phone = await device("alice");
  using laptop = await device("alice");
  for (const one of [phone, laptop]) await one.call("joinRoom", ["devices"]);
  await phone.call("leaveRoom", ["devices"]);
  const joins = ["userJoined watcher", "userJoined alice", "userJoined alice"];
  expect(await announcements(watcher, "devices", "one left")).toEqual([...joins, "userLeft alice"]);
  expect(await announcements(laptop, "devices", "told of it")).toEqual([
    "userJoined alice",
    "userLeft alice",
  ]);
  await laptop.call("leaveRoom", ["devices"]);
  await watcher.next(({ method }) => method === "userLeft");
  expect(await announcements(watcher, "devices", "both left")).toEqual([
    ...joins,
    ...["userLeft alice", "userLeft alice"],
  ]);
});

it("leaving a room again, or one that one was never in, is not announced", async () => {
  using watcher = await device("watcher");
  await watcher.call("joinRoom", ["strangers"]);
  using stranger = await device("eve");
  await stranger.call("leaveRoom", ["strangers"]);
  expect(await announcements(watcher, "strangers", "end")).toEqual(["userJoined watcher"]);
});
