// A world's own promises: the clock that a test moves, and what a test gets beside what clients see. That a world
// behaves as the engine does is in the parity tests.

import { afterEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { hub, method, signedIn, stream, type Filter } from "../../../src/hub.ts";
import { calling, world } from "../../../src/dispatch/testing/testing.ts";
import { PriceHub } from "../../../src/hubs/prices.ts";
import { PresenceHub } from "../../../src/hubs/presence.ts";

interface Client {
  said(text: string): void;
  confirm(question: string): Promise<boolean>;
}

const NOON = Date.UTC(2026, 0, 1, 12);

const RoomHub = hub<Client>("rooms", {
  authorize: signedIn,
  rooms: { group: { enter: ({ user }) => !user?.roles.includes("Guest") } },
  history: { size: 2, ttlSeconds: 60 },
  answers: { confirm: z.boolean() },
}).methods({
  join: method([z.string()], ({ group }, name) => group(name).join()),
  say: method([z.string(), z.string()], ({ clients }, name, text) =>
    clients.group(name).said(text),
  ),
  ask: method([], ({ clients }) => clients.caller.confirm("?")),
  fromEnv: method([], ({ env, waitUntil }) => {
    const { GREETING } = env as unknown as { GREETING: string };
    waitUntil(Promise.reject(new Error("later")));
    return GREETING;
  }),
  forever: stream([], async function* () {
    for (let n = 0; ; n++) yield n;
  }),
});

const usersOf = async (rooms: {
  room(topic: string): { presence: { list(): Promise<{ userId: string }[]> } };
}) => (await rooms.room("group:lobby").presence.list()).map(({ userId }) => userId);

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.catch(({ code }: { code: string }) => code);

afterEach(() => void vi.useRealTimers());

describe("a guest of a world", () => {
  it("is a user with a network, and a user without one is signed in", async () => {
    const rooms = world(RoomHub);
    const guest = { id: "guest:1", guestFrom: "192.0.2.1" };
    await expect(rooms.connect({ user: guest })).rejects.toMatchObject({ code: "forbidden" });
    const { invoke } = await rooms.connect({ user: "guest:1" });
    expect(await invoke.join("lobby")).toBeNull();
    await expect(calling(RoomHub, { user: guest }).invoke.join("lobby")).rejects.toMatchObject({
      code: "forbidden",
    });
  });
});

describe("the clock of a world", () => {
  it("stands still, and leaves come when it has passed their grace", async () => {
    const rooms = world(RoomHub, { now: NOON });
    const alice = await rooms.connect({ user: "alice", room: "group:lobby" });
    const bob = await rooms.connect({ user: "bob", room: "group:lobby" });
    await bob.lose();
    await rooms.advance(4_999);
    expect(await usersOf(rooms)).toEqual(["alice", "bob"]);
    await rooms.advance(1);
    expect(await usersOf(rooms)).toEqual(["alice"]);
    expect(alice.frames.at(-1)).toMatchObject({ method: "$/presence", params: { left: ["bob"] } });
    expect(rooms.now).toBe(NOON + 5_000);
  });

  it("tells nobody of a user who is back within the grace", async () => {
    const rooms = world(RoomHub);
    const alice = await rooms.connect({ user: "alice", room: "group:lobby" });
    const bob = await rooms.connect({ user: "bob", room: "group:lobby" });
    const before = alice.frames.length;
    await bob.lose();
    await rooms.advance(3_000);
    await rooms.connect({ user: "bob", room: "group:lobby" });
    await rooms.advance(60_000);
    expect(alice.frames).toHaveLength(before);
  });

  it("ends the wait for a client's answer, and connections with their tokens", async () => {
    const rooms = world(RoomHub, { now: NOON });
    const expiresAt = NOON + 60_000;
    const handlers = { confirm: () => new Promise<boolean>(() => {}) };
    const alice = await rooms.connect({ user: { id: "alice", expiresAt }, handlers });
    const asked = codeOf(alice.invoke.ask());
    await rooms.advance(30_000);
    expect(await asked).toBe("timed_out");
    await alice.refresh({ expiresAt: expiresAt + 60_000 });
    await rooms.advance(60_000);
    expect(alice.closed).toBeUndefined();
    await rooms.advance(30_000);
    expect(alice.closed).toEqual({ code: 4401, reason: "The token has expired." });
    await expect(alice.invoke.ask()).rejects.toMatchObject({ code: "closed" });
  });

  it("fills the bucket of calls, and ages history", async () => {
    const rooms = world(RoomHub, { now: NOON });
    const alice = await rooms.connect({ user: "alice" });
    for (let n = 0; n < 100; n++) await alice.invoke.say("lobby", `${n}`);
    await expect(alice.invoke.say("lobby", "x")).rejects.toMatchObject({ code: "rate_limited" });
    await rooms.advance(1_000);
    await alice.invoke.say("lobby", "y");
    const history = async () =>
      (await rooms.room("group:lobby").history.last(9)).map(({ args, at }) => [...args, at - NOON]);
    expect(await history()).toEqual([
      ["99", 0],
      ["y", 1_000],
    ]);
    await rooms.advance(60_000);
    expect(await history()).toEqual([["y", 1_000]]);
    await rooms.advance(1);
    expect(await history()).toEqual([]);
  });

  it("goes on where a test has fake timers, which move hub code's own", async () => {
    vi.useFakeTimers({ now: NOON });
    const prices = world(PriceHub);
    const alice = await prices.connect();
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const { timestamp } of alice.stream.streamPrices("ABC"))
        if (seen.push(timestamp) === 2) break;
    })();
    await prices.settled();
    expect(seen).toEqual(["2026-01-01T12:00:00.000Z"]);
    await vi.advanceTimersByTimeAsync(1_000);
    await prices.settled();
    await reading;
    expect(seen).toHaveLength(2);
  });
});

describe("a world", () => {
  it("has the positions of its rooms, all of one epoch", async () => {
    const rooms = world(RoomHub);
    const alice = await rooms.connect({ user: "alice" });
    await alice.join("group:lobby");
    await alice.invoke.say("lobby", "hello");
    expect(alice.received).toEqual([
      { method: "said", args: ["hello"], room: "group:lobby", position: "memory:2" },
    ]);
    expect(await alice.call("$/history", [{ room: "group:lobby" }])).toMatchObject({
      messages: [{ method: "said", params: ["hello"], position: "memory:2" }],
    });
  });

  it("publishes for services, and reads rooms", async () => {
    const rooms = world(RoomHub);
    const alice = await rooms.connect({ user: "alice", room: "group:lobby" });
    await rooms.clients.group("lobby").said("news");
    await rooms.clients.user("alice").said("not attached");
    expect(alice.received.map(({ args }) => args)).toEqual([["news"]]);
    expect(await rooms.room("group:lobby").presence.count()).toEqual({ users: 1, connections: 1 });
  });

  it("gives handlers its env, and logs what fails in the background", async () => {
    const lines: string[] = [];
    vi.spyOn(console, "error").mockImplementation((line: string) => void lines.push(line));
    const rooms = world(RoomHub, { env: { GREETING: "hi" } as object });
    const alice = await rooms.connect();
    expect(await alice.invoke.fromEnv()).toBe("hi");
    await rooms.settled();
    expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
      "wait_until_failed",
    ]);
    vi.restoreAllMocks();
  });

  it("runs the filters of `serve` around the hub's calls", async () => {
    const called: string[] = [];
    const noting: Filter = { invoke: ({ method: name }, next) => (called.push(name), next()) };
    const rooms = world(RoomHub, { filters: [noting] });
    await (await rooms.connect()).invoke.join("lobby");
    expect(called).toEqual(["join"]);
  });

  it("takes a fresh token's rooms from a connection", async () => {
    const rooms = world(RoomHub);
    const alice = await rooms.connect();
    await alice.join("group:lobby");
    await alice.invoke.join("kept");
    expect(await alice.refresh({ roles: ["Guest"] })).toEqual({ dropped: ["group:lobby"] });
    await rooms.clients.group("lobby", "kept").said("hello");
    expect(alice.received.map(({ room }) => room)).toEqual(["group:kept"]);
    await expect(alice.refresh({ id: "bob" })).rejects.toMatchObject({ code: "forbidden" });
  });

  it("settles beside a stream that never ends, whose reader may stop", async () => {
    const rooms = world(RoomHub);
    const alice = await rooms.connect();
    const bob = await rooms.connect({ user: "bob", room: "group:lobby" });
    const numbers = alice.stream.forever()[Symbol.asyncIterator]();
    expect(await numbers.next()).toEqual({ done: false, value: 0 });
    await alice.invoke.say("lobby", "hello");
    expect(bob.received).toHaveLength(1);
    await numbers.return!();
    await rooms.settled();
  });

  it("loses the calls of a connection that is lost, as the network does", async () => {
    const rooms = world(RoomHub);
    const handlers = { confirm: () => new Promise<boolean>(() => {}) };
    const alice = await rooms.connect({ handlers });
    const asked = codeOf(alice.invoke.ask());
    await alice.lose();
    expect(await asked).toBe("interrupted");
    await alice.close();
  });

  it("tells who is online by the hub's own hooks", async () => {
    const presence = world(PresenceHub);
    const alice = await presence.connect({ user: "alice" });
    const phone = await presence.connect({ user: "bob" });
    const laptop = await presence.connect({ user: "bob", room: "group:lobby" });
    await phone.close();
    await laptop.close();
    expect(alice.received.map(({ method: name, args }) => [name, ...args])).toEqual([
      ["onlineUsersUpdated", ["alice"]],
      ["onlineUsersUpdated", ["alice", "bob"]],
      ["userLeft", "bob"],
      ["onlineUsersUpdated", ["alice"]],
    ]);
  });
});

describe("`calling`", () => {
  it("gives handlers its env, and records the promises of `waitUntil`", async () => {
    const { invoke, background } = calling(RoomHub, { env: { GREETING: "hi" } as object });
    expect(await invoke.fromEnv()).toBe("hi");
    expect(background).toHaveLength(1);
    await expect(background[0]).rejects.toThrow("later");
  });
});
