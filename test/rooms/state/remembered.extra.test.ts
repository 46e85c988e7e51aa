// Clients that are put back into rooms with a state (`rememberGroups`): their copies are whole, whatever was lost.

import { evictDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { connected, relayOf, type Record, type SignalR } from "../relay/client.ts";

const HUB = "state-values";

/** What came of a room with a state, but for its positions. */
const told = ({ heard }: SignalR): unknown[][] =>
  heard
    .filter(({ type }) => type === 1)
    .map(({ target, arguments: args = [] }) => [
      target,
      target === "Noted" ? args[0] : (args[1] as { notes: object }).notes,
    ]);

const isPatch = ({ target }: Record) => target === "RoomPatch";

it("[ST6] a client that is remembered gets the state, since a change may be lost in its socket", async () => {
  const name = crypto.randomUUID();
  const lost = await connected(HUB, { query: "client=phone" });
  await lost.call("Join", name);
  await lost.call("Note", name, "before", "x".repeat(500));
  // As far as the relay knows, the client has it.
  await lost.record(isPatch);
  await evictDurableObject(relayOf(HUB, lost.id), { webSockets: "close" });
  await lost.closed;
  using bob = await connected(HUB, { user: "bob" });
  await bob.call("Note", name, "meanwhile", "y");
  using back = await connected(HUB, { query: "client=phone" });
  await bob.call("Note", name, "after", "z");
  await back.record(isPatch);
  await back.record((one) => one.target === "Noted" && one.arguments![0] === "after");
  expect(told(back)).toEqual([
    ["RoomState", { before: "x".repeat(500), meanwhile: "y" }],
    ["Noted", "meanwhile"],
    ["RoomPatch", { after: "z" }],
    ["Noted", "after"],
  ]);
});

it("[ST6] a page that is loaded again while its old socket is open gets the state", async () => {
  const name = crypto.randomUUID();
  using half = await connected(HUB, { query: "client=page" });
  await half.call("Join", name);
  await half.call("Note", name, "own", "x".repeat(500));
  using page = await connected(HUB, { query: "client=page" });
  await page.record(({ target }) => target === "RoomState");
  expect(told(page)).toEqual([["RoomState", { own: "x".repeat(500) }]]);
});
