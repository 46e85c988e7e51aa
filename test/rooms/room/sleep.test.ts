// What a room is after it slept: the same. And what may not wake it.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { PING } from "../../../src/model/wire-constants.ts";
import { enter, positionOf, roomAt, type Client } from "../client.ts";
import { range } from "../storage.ts";

const evict = (room: string) => evictDurableObject(roomAt(room));
/** Who comes is told to the hub's index: nothing of that wakes the room later. */
async function evictForLong(room: string): Promise<void> {
  await evict(room);
  await runDurableObjectAlarm(roomAt(room));
  await evict(room);
}
/** Only an object that runs can be evicted: the neatest way to see that nothing woke it. */
const expectAsleep = (room: string) => expect(evict(room)).rejects.toThrow(/not .*running/i);
const say = (room: string, word: unknown) =>
  roomAt(room).publish({ target: "said", params: JSON.stringify([word]) });
const hears = (client: Client, word: unknown) =>
  client.heardFrame(({ method, params }) => method === "said" && params[0] === word);
const wordsOf = (client: Client) => client.messages("said").map(({ params }) => params[0]);
const pongs = (client: Client) => client.frames.filter((frame) => frame === PING).length;

async function heartbeat(clients: readonly Client[]): Promise<void> {
  const before = clients.map(pongs);
  for (const client of clients) client.send(PING);
  await vi.waitFor(
    () => expect(clients.every((client, i) => pongs(client) > before[i]!)).toBe(true),
    {
      timeout: 10_000,
      interval: 5,
    },
  );
}

describe("a room that slept", () => {
  it("has its sockets, users, position and members, and says no join again", async () => {
    const room = "orders/order:slept";
    using alice = await enter(room, { user: "alice" });
    using phone = await enter(room, { user: "alice" });
    using bob = await enter(room, { user: "bob" });
    await alice.call("$/track", { state: "busy" });
    const before = (await bob.call("$/presence")).result;
    const { offset, epoch } = await say(room, "before");
    await hears(alice, "before");
    const joins = alice.messages("$/presence").length;
    await evict(room);
    expect((await bob.call("$/presence")).result).toEqual(before);
    expect(before).toMatchObject({ users: 2, connections: 3, members: [{ state: "busy" }, {}] });
    expect(await say(room, "after")).toEqual({ epoch, offset: offset + 1 });
    for (const client of [alice, phone, bob]) await hears(client, "after");
    expect(alice.messages("$/presence").length).toBe(joins);
    expect((await alice.call("$/track", { state: "idle" })).error).toBeUndefined();
  });

  it("still tells a connection's own user from others", async () => {
    const room = "chat/group:slept";
    using alice = await enter(room, { user: "alice" });
    using bob = await enter(room, { user: "bob" });
    await evict(room);
    await alice.call("sendToRoom", ["slept", "hello"]);
    expect(await bob.said("receiveMessage")).toMatchObject({ params: ["alice", "hello"] });
  });

  it("notices a user who went while it slept, and says it after the grace", async () => {
    const room = "orders/order:went";
    using watcher = await enter(room, { user: "watcher" });
    const alice = await enter(room, { user: "alice" });
    await evict(room);
    alice.socket.close(1001); // Its page may be loading again: the grace holds.
    await alice.closed;
    expect((await watcher.call("$/presence")).result).toMatchObject({ users: 2, connections: 1 });
    const due = await runInDurableObject(roomAt(room), (_, { storage }) => storage.getAlarm());
    expect(due! - Date.now()).toBeLessThanOrEqual(6_000);
  });

  it("answers heartbeats asleep, and is not woken by them", async () => {
    const room = "orders/order:heartbeats";
    using client = await enter(room);
    await client.call("$/presence");
    await evictForLong(room);
    for (let i = 0; i < 5; i++) await heartbeat([client]);
    await expectAsleep(room);
    expect((await client.call("$/presence")).result.users).toBe(1);
  });

  it(
    "holds 1,000 sockets whose heartbeats run, and is not woken",
    { timeout: 60_000 },
    async () => {
      const room = "orders/order:thousand";
      const clients: Client[] = [];
      for (const hundred of range(0, 9))
        clients.push(
          ...(await Promise.all(
            range(1, 100).map((n) => enter(room, { user: `user-${hundred}-${n}` })),
          )),
        );
      await Promise.all(
        clients.map((one) => one.heardFrame(({ params }) => params?.users === 1_000)),
      );
      await evictForLong(room);
      const started = performance.now();
      for (let i = 0; i < 3; i++) await heartbeat(clients);
      console.log(`3,000 heartbeats asleep in ${(performance.now() - started).toFixed(0)} ms`);
      await expectAsleep(room);
      const woken = performance.now();
      await say(room, "wake");
      console.log(`woke with 1,000 sockets in ${(performance.now() - woken).toFixed(0)} ms`);
      await Promise.all(clients.map((client) => hears(client, "wake")));
      expect((await clients[0]!.call("$/presence")).result).toMatchObject({
        users: 1_000,
        connections: 1_000,
      });
      for (const client of clients) client[Symbol.dispose]();
    },
  );

  it(
    "[R4] loses nothing over 100 evictions with messages between, and its order has no hole",
    { timeout: 60_000 },
    async () => {
      const room = "orders/order:evicted";
      using alice = await enter(room, { user: "alice" });
      using bob = await enter(room, { user: "bob" });
      await bob.heardFrame(({ params }) => params?.users === 2);
      for (const n of range(1, 100)) {
        await say(room, n);
        await evict(room);
      }
      await say(room, "end");
      for (const client of [alice, bob]) {
        await hears(client, "end");
        expect(wordsOf(client)).toEqual([...range(1, 100), "end"]);
        const offsets = client.messages("said").map((frame) => positionOf(frame).offset);
        expect(offsets).toEqual(range(offsets[0]!, offsets[0]! + 100));
      }
      expect((await alice.call("$/presence")).result).toMatchObject({ users: 2, connections: 2 });
      expect(alice.messages("$/presence").flatMap(({ params }) => params.left)).toEqual([]);
    },
  );

  it("[R4] resumes those whose sockets an eviction closed", { timeout: 30_000 }, async () => {
    const room = "orders/order:evicted-closed";
    let client = await enter(room);
    const words: unknown[] = [];
    for (const n of range(1, 10)) {
      await say(room, n);
      await hears(client, n);
      const { connectionId } = client.hello.params;
      const since = client.heard.findLast((frame) => frame.position)!.position!;
      words.push(...wordsOf(client));
      await evictDurableObject(roomAt(room), { webSockets: "close" });
      expect((await client.closed).code).toBe(1006);
      await say(room, `${n} while away`);
      client = await enter(room, { since, connection: connectionId });
      expect(client.hello.params.recovered).toBe(true);
    }
    await say(room, "end");
    await hears(client, "end");
    words.push(...wordsOf(client));
    expect(words).toEqual([...range(1, 10).flatMap((n) => [n, `${n} while away`]), "end"]);
    client[Symbol.dispose]();
  });
});
