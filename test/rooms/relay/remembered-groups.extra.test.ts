// Positions of clients that rejoin their groups while the object crashes: what has reached a client is not repeated,
// what has not is not lost.

import { runInDurableObject } from "cloudflare:test";
import { expect, it, onTestFinished, vi } from "vitest";
import type { Position } from "../../../src/model/topic.ts";
import type { User } from "../../../src/model/user.ts";
import type { Connection } from "../../../src/rooms/connection/connection.ts";
import type { Cause } from "../../../src/rooms/links/follow-tables.ts";
import { rejoinGroups } from "../../../src/rooms/relay/rejoin-groups.ts";
import type { RelayParts } from "../../../src/rooms/relay/relay-parts.ts";
import { RememberedGroups } from "../../../src/rooms/relay/remembered-groups.ts";
import { connected, lose, relayNamed, relayOf } from "./client.ts";

const ROOM = "group:g";
const at = (offset: number): Position => ({ epoch: "e", offset });
const MEMBER = new Map<string, Cause>([[ROOM, "hub"]]);

const connection = (id: string, stage = "open", { user = "u", client = "c" } = {}) =>
  ({
    ...{ id, stage: { name: stage }, socket: {} },
    ...{ user: { id: user, channels: [] } as unknown as User, attached: { client } },
  }) as unknown as Connection;

/** `own`: the object's own position. `end`: of the connection that has replayed, which a crash forgets. */
function rememberedBy(
  { storage: { sql } }: DurableObjectState,
  own: number,
  { end, clientsPerUser = 2 }: { end?: number | undefined; clientsPerUser?: number } = {},
) {
  return new RememberedGroups({
    ...{ sql, seconds: 60, clientsPerUser, now: () => Date.now(), arm: () => {} },
    positionIn: (_room, ended) => at(ended && end !== undefined ? end : own),
  });
}

async function afterCrash(run: (state: DurableObjectState) => void, own: number) {
  const relay = relayNamed("remembering", `crash-${crypto.randomUUID()}`);
  return runInDurableObject(relay, (_, state) => {
    run(state);
    const again = rememberedBy(state, own);
    again.keepLost([{ connection: "new", room: ROOM, userId: "u", cause: "hub" }]);
    return again.take("u", "c").map(({ position }) => position?.offset);
  });
}

/** The client was at 5 when it went, and is back on a new connection. */
function returning(state: DurableObjectState, own: number, end?: number) {
  const remembered = rememberedBy(state, own, { end });
  rememberedBy(state, 5).keep(connection("old"), MEMBER);
  const back = connection("new", "greeting");
  remembered.addClient(back);
  remembered.putBack(back, remembered.take("u", "c"));
  return { remembered, back };
}

it("a replay of which nothing has reached the client begins where it was, though the object is further", async () => {
  const run = (state: DurableObjectState) => {
    const { remembered, back } = returning(state, 9, 12);
    remembered.rejoined(back, ROOM);
  };
  expect(await afterCrash(run, 9)).toEqual([5]);
});

it("a replay that has reached the client is not repeated, though the object is behind its end", async () => {
  const run = (state: DurableObjectState) => {
    const { remembered, back } = returning(state, 9, 12);
    remembered.rejoined(back, ROOM);
    back.stage = { name: "open" };
    remembered.opening(back);
  };
  expect(await afterCrash(run, 9)).toEqual([12]);
  expect(await afterCrash(run, 20)).toEqual([20]);
});

it("a crash after the return repeats nothing that the client then received", async () => {
  const phone = { query: "client=phone" };
  const alice = await connected("remembering", phone);
  using bob = await connected("remembering", { user: "bob" });
  await alice.call("Join", "crashed");
  await lose(alice, "remembering");
  await bob.call("Say", "crashed", "1");
  const back = await connected("remembering", phone);
  await back.hears("1");
  const relay = relayOf("remembering", back.id);
  await runInDurableObject(relay, (_, state) => state.abort("a crash")).catch(() => {});
  using again = await connected("remembering", phone);
  using carol = await connected("remembering", { user: "carol" });
  await carol.call("Say", "crashed", "2");
  await again.hears("2");
  expect(again.texts).toEqual(["2"]);
});

it("a room that the client is not to rejoin is forgotten", async () => {
  const relay = relayNamed("remembering", `crash-${crypto.randomUUID()}`);
  const rooms = await runInDurableObject(relay, (_, state) => {
    const { remembered, back } = returning(state, 9);
    remembered.drop(back, ROOM);
    return remembered.take("u", "c");
  });
  expect(rooms).toEqual([]);
});

it("clients of a user are remembered up to a number, the newest", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  onTestFinished(() => void vi.useRealTimers());
  const relay = relayNamed("remembering", `many-${crypto.randomUUID()}`);
  const rooms = await runInDurableObject(relay, (_, state) => {
    const remembered = rememberedBy(state, 5);
    const end = (user: string, client: string) => {
      vi.setSystemTime(Date.now() + 1_000);
      remembered.keep(connection(`${user} ${client}`, "open", { user, client }), MEMBER);
    };
    end("v", "1");
    for (const client of ["1", "2", "1", "3"]) end("u", client);
    const names = [["v", "1"] as const, ...["1", "2", "3"].map((name) => ["u", name] as const)];
    return names.map(([user, client]) => remembered.take(user, client).length);
  });
  expect(rooms).toEqual([1, 1, 0, 1]);
});

it("clients of a user are all remembered where a user may have any number of connections", async () => {
  const relay = relayNamed("remembering", `any-${crypto.randomUUID()}`);
  const rooms = await runInDurableObject(relay, (_, state) => {
    const remembered = rememberedBy(state, 5, { clientsPerUser: Infinity });
    const clients = ["1", "2", "3"];
    for (const client of clients) remembered.keep(connection(client, "open", { client }), MEMBER);
    return clients.map((client) => remembered.take("u", client).length);
  });
  expect(rooms).toEqual([1, 1, 1]);
});

it("a room that a service takes the user out of between two attempts to rejoin it is not rejoined", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  onTestFinished(() => void vi.restoreAllMocks());
  const relay = relayNamed("remembering", `removed-${crypto.randomUUID()}`);
  await runInDurableObject(relay, async (_, state) => {
    const remembered = rememberedBy(state, 9);
    remembered.keep(connection("old"), MEMBER);
    const back = connection("new", "greeting");
    const joinWithReplay = vi.fn<() => Promise<void>>(async () => {
      remembered.forgetUser("u", [{ type: "leave", room: ROOM }]);
      expect(remembered.hasUser("u")).toBe(false);
      throw new Error("The room could not be reached.");
    });
    const parts = {
      ...{ remembered, address: { relay: "any.0.0" }, seats: { wasFullLately: false } },
      ...{ followed: { joinWithReplay }, settings: { limits: {} } },
      connections: { all: new Set([back]), byUser: { named: () => [] } },
    };
    await rejoinGroups(parts as unknown as RelayParts, back);
    expect(joinWithReplay).toHaveBeenCalledOnce();
  });
});
