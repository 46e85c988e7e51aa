// Connections that end: by their token, by silence, by themselves; and those that may not begin.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PING } from "../../../src/model/wire-constants.ts";
import { enter, roomAt, token, upgrade, type Client } from "../client.ts";
import { range } from "../storage.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() }));
afterEach(() => vi.useRealTimers());

const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);
const ring = (room: string) => runDurableObjectAlarm(roomAt(room));
const socketsOf = (room: string) =>
  runInDurableObject(
    roomAt(room),
    (_, state) => state.getWebSockets().filter((s) => s.readyState === 1).length,
  );
/** The engine answers by itself; that answer is awaited. */
async function ping(client: Client): Promise<void> {
  const { length } = client.frames;
  client.send(PING);
  await vi.waitFor(() => expect(client.frames.length).toBeGreaterThan(length), { interval: 1 });
}
const isOpen = async (client: Client) => (await client.call("$/presence")).result !== undefined;

describe("a connection whose token expires", () => {
  it("is closed with 4401 by the alarm, and no other is", async () => {
    const room = "orders/order:expiry";
    const soon = Math.floor(Date.now() / 1000) + 30;
    using brief = await enter(room, { user: "brief", claims: { exp: soon } });
    using long = await enter(room, { user: "long" });
    // What its hub's index shall know is told first.
    pass(2_000);
    await ring(room);
    const due = await runInDurableObject(roomAt(room), (_, { storage }) => storage.getAlarm());
    // The leeway of a minute is the token's own.
    expect(due).toBe((soon + 60) * 1000);
    pass(due! - Date.now() - 1);
    await ring(room);
    expect(await isOpen(brief)).toBe(true);
    pass(1);
    expect(await ring(room)).toBe(true);
    expect((await brief.closed).code).toBe(4401);
    expect(await isOpen(long)).toBe(true);
  });

  it("is closed although the room slept until then", async () => {
    const room = "orders/order:expiry-asleep";
    using brief = await enter(room, { claims: { exp: Math.floor(Date.now() / 1000) + 30 } });
    await evictDurableObject(roomAt(room));
    pass(91_000);
    await ring(room);
    expect((await brief.closed).code).toBe(4401);
  });
});

describe("a connection that fell silent", () => {
  it("is closed with 4410 if it has pinged before, and its user leaves", async () => {
    const room = "orders/order:silent";
    using watcher = await enter(room, { user: "watcher" });
    using silent = await enter(room, { user: "silent" });
    await ping(silent);
    await evictDurableObject(roomAt(room));
    // The bound on a ghost: the silence, and one sweep.
    pass(75_000 + 120_000);
    expect(await ring(room)).toBe(true);
    expect((await silent.closed).code).toBe(4410);
    pass(6_000);
    await ring(room);
    const { params } = await watcher.next(({ params: { left } = {} }) => left?.length > 0);
    expect(params.left).toEqual(["silent"]);
    expect(await isOpen(watcher)).toBe(true);
  });

  it("stays if it has never pinged", async () => {
    const room = "orders/order:never-pinged";
    using bare = await enter(room);
    pass(1_200_000);
    await ring(room);
    expect(await isOpen(bare)).toBe(true);
  });

  it.for([
    [60_000, "open"],
    [90_000, 4410],
  ] as const)("is %s ms after its last ping: %s", async ([ms, outcome]) => {
    const room = `orders/order:pinged ${ms}`;
    using client = await enter(room);
    await ping(client);
    // The engine stamps pings by its own clock, which no test moves.
    pass(ms);
    await ring(room);
    const closed = client.closed.then(({ code }) => code);
    const open = client.call("$/presence").then(() => "open");
    expect(await Promise.race([closed, open])).toBe(outcome);
  });

  it("is heard when it speaks at last, although it was silent for longer than the bound", async () => {
    const room = "orders/order:late";
    using client = await enter(room);
    await ping(client);
    await evictDurableObject(roomAt(room));
    pass(100_000);
    expect(await isOpen(client)).toBe(true);
    await ring(room);
    expect(await isOpen(client)).toBe(true);
  });

  it("stays while it says something, although it sleeps between and pings no more", async () => {
    const room = "orders/order:talking";
    using client = await enter(room);
    await ping(client);
    for (let i = 0; i < 10; i++) {
      pass(25_000);
      expect(await isOpen(client)).toBe(true);
      await evictDurableObject(roomAt(room));
    }
    pass(20_000);
    await ring(room);
    expect(await isOpen(client)).toBe(true);
  });

  it("is not kept by wakes that others cause", async () => {
    const room = "orders/order:wakes";
    using talker = await enter(room, { user: "talker" });
    using silent = await enter(room, { user: "silent" });
    await ping(silent);
    for (let i = 0; i < 6; i++) {
      await evictDurableObject(roomAt(room));
      pass(25_000);
      await isOpen(talker);
    }
    await ring(room);
    expect((await silent.closed).code).toBe(4410);
  });
});

describe("a connection that its client closes", () => {
  it.for([
    [1000, 1000],
    [1001, 1001],
    [3000, 3000],
    [4999, 4999],
    [undefined, 1000],
  ] as const)("with %s is answered with %s", async ([code, answered]) => {
    const room = `orders/order:close ${code}`;
    const client = await enter(room);
    client.socket.close(code, code && "bye");
    expect((await client.closed).code).toBe(answered);
    expect(await socketsOf(room)).toBe(0);
  });
});

describe("a room", () => {
  it("takes 50 connections of a user, refuses the next with 429, and takes one again when one has gone", async () => {
    const room = "orders/order:many";
    const devices = await Promise.all(range(1, 50).map(() => enter(room)));
    const response = await upgrade(`/parties/${room}?access_token=${await token("alice")}`);
    expect([response.status, await response.json()]).toEqual([
      429,
      {
        error: {
          code: "too_many_connections",
          message: expect.any(String),
          action: expect.any(String),
        },
      },
    ]);
    using other = await enter(room, { user: "bob" });
    devices[0]!.socket.close(1000);
    await devices[0]!.closed;
    using again = await enter(room);
    expect([other, again].map(({ hello }) => hello.params.present.connections)).toEqual([51, 51]);
    for (const device of devices) device[Symbol.dispose]();
  });

  it("has room for the claims of the largest token, whatever their alphabet", async () => {
    const room = "orders/order:claims";
    const channels = range(1, 45).map((n) => `group:日${n}${"x".repeat(110)}`);
    const claims = { caps: [{ channels, allow: ["sub"] }] };
    expect((await token("alice", claims)).length).toBeGreaterThan(7_500);
    using alice = await enter(room, { claims });
    expect(await socketsOf(room)).toBe(1);
    await evictDurableObject(roomAt(room));
    expect((await alice.call("$/presence")).result.users).toBe(1);
  });
});
