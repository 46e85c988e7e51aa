// A room that crashes after it has saved a publication, and before it has sent it: the publisher gets an error, and the
// room's followers get the message, although nobody asks the room for anything.

import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import type { RoomParts } from "../../../src/rooms/room/room-parts.ts";
import { ask } from "../../edge/rest/service.ts";
import { Client, roomAt, token, upgrade } from "../client.ts";
import { connected } from "../relay/client.ts";

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => void vi.restoreAllMocks());

const partsOf = (instance: object): RoomParts => (instance as { parts: RoomParts }).parts;

/** The next publication is saved, and ends the room in this moment. */
const endAtNext = (room: string) =>
  runInDurableObject(roomAt(room), (instance, state) => {
    const { followers, publisher } = partsOf(instance);
    followers.publish = () => {};
    const append = publisher.appendAndSave.bind(publisher);
    publisher.appendAndSave = async (draft) => {
      await append(draft);
      await state.storage.sync();
      state.abort("A crash.");
      throw new Error("It has ended.");
    };
  });

const publish = (room: string, word: string) =>
  ask("POST", `/hubs/relayed/rooms/group:${room}/:publish`, {
    body: { target: "said", arguments: [word] },
  });

async function listen(name: string) {
  const client = await connected("relayed", { claims: { channels: [`group:${name}`] } });
  onTestFinished(() => client[Symbol.dispose]());
  return client;
}

it("wakes for a service's request that failed", async () => {
  const listener = await listen("saved-rest");
  await publish("saved-rest", "first");
  await expect.poll(() => listener.texts).toEqual(["first"]);
  await endAtNext("relayed/group:saved-rest");
  expect((await publish("saved-rest", "second")).status).toBeGreaterThanOrEqual(500);
  await expect.poll(() => listener.texts).toEqual(["first", "second"]);
});

it("wakes for a client's call at a relay that failed", async () => {
  const listener = await listen("saved-call");
  await publish("saved-call", "first");
  await expect.poll(() => listener.texts).toEqual(["first"]);
  const access = await token("bob", { caps: [{ channels: ["group:saved-call"], allow: ["pub"] }] });
  const { webSocket } = await upgrade(`/hubs/relayed/rpc?access_token=${access}`);
  using bob = new Client(webSocket!);
  await bob.next(({ method }) => method === "$/connected");
  await endAtNext("relayed/group:saved-call");
  const publication = { room: "group:saved-call", method: "said", params: ["second"] };
  const { error } = await bob.call("$/publish", publication);
  expect(error?.data.code).toBe("unavailable");
  await expect.poll(() => listener.texts).toEqual(["first", "second"]);
});
