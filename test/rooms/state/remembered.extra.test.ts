// Clients that are put back into rooms with a state (`rememberGroups`): their copies are whole, whatever was lost.

import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { ask } from "../../edge/rest/service.ts";
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

describe("a client that was taken out of a group by a service while it was away", () => {
  const groups = `/hubs/${HUB}/users/alice/groups`;

  async function backAfter(...removals: readonly ((name: string) => string)[]) {
    const [name, other] = [crypto.randomUUID(), crypto.randomUUID()];
    const client = crypto.randomUUID();
    const lost = await connected(HUB, { query: `client=${client}` });
    await lost.call("Join", name);
    await lost.call("Join", other);
    await evictDurableObject(relayOf(HUB, lost.id), { webSockets: "close" });
    await lost.closed;
    for (const removal of removals)
      expect((await ask("DELETE", `${groups}${removal(name)}`)).status).toBe(204);
    const back = await connected(HUB, { query: `client=${client}` });
    // Rooms are rejoined before the first call is answered.
    await back.call("Anything", name, 1);
    back[Symbol.dispose]();
    const rooms = back.heard.flatMap(({ target, arguments: args }) =>
      target === "RoomState" ? [args![0]] : [],
    );
    return rooms.map((room) => (room === `group:${name}` ? "removed" : "other"));
  }

  it("is not put back into it", async () => {
    expect(await backAfter()).toEqual(expect.arrayContaining(["removed", "other"]));
    expect(await backAfter((name) => `/${name}`)).toEqual(["other"]);
    // The account still knows the relay, whose client may come back.
    expect(
      await backAfter(
        () => "/none",
        (name) => `/${name}`,
      ),
    ).toEqual(["other"]);
    expect(await backAfter(() => "")).toEqual([]);
  });
});
