// A room's state over sleep, in logs of every kind, with schedules and with tables of its own.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { enter, roomAt, type Client } from "../client.ts";
import { copyOf } from "./copy-of.ts";
import { act, pass, wholeOf } from "./steered-room.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const room = (hub = "odd") => `${hub}/group:${crypto.randomUUID()}`;
const run = async (client: Client, action: string, params: unknown[] = []) =>
  (await client.call("$/run", { action, params })).result?.result;
const rowsOf = (name: string, table: string) =>
  runInDurableObject(roomAt(name), (_, { storage }) =>
    storage.sql.exec(`SELECT * FROM ${table}`).toArray(),
  );

describe("a state", () => {
  it.each(["odd", "odd-short", "odd-behind", "odd-unlogged", "odd-view", "odd-hidden"])(
    "[F18] of %s is the same after a wake, also when it was cleared between changes",
    async (hub) => {
      const name = room(hub);
      using alice = await enter(name);
      for (let n = 0; n < 5; n++) await run(alice, "add", [1]);
      await roomAt(name).publish({ target: "said", params: '["x"]' });
      if (hub === "odd") await roomAt(name).clear();
      expect(await run(alice, "put", ["a", { deep: [1, null] }])).toBeNull();
      await roomAt(name).history({});
      await evictDurableObject(roomAt(name));
      expect(await run(alice, "add", [1])).toBe(6);
      await evictDurableObject(roomAt(name));
      expect(JSON.parse(((await roomAt(name).wholeState()) as { text: string }).text)).toEqual({
        notes: { a: { deep: [1, null] } },
        count: 6,
      });
    },
  );

  it("[F18] is kept where messages overwrite its changes in the ring, over sleeps and an abort", async () => {
    const name = room("odd-small");
    const say = () => roomAt(name).publish({ target: "said", params: '["x"]' });
    {
      using alice = await enter(name);
      for (let n = 0; n < 6; n++) await run(alice, "add", [1]);
    }
    for (const pause of [2, 2, 3]) {
      await evictDurableObject(roomAt(name), { webSockets: "close" });
      for (let n = 0; n < pause; n++) await say();
    }
    await runInDurableObject(roomAt(name), (_, state) => state.abort("A crash.")).catch(() => {});
    const { text } = (await roomAt(name).wholeState()) as { text: string };
    expect(JSON.parse(text)).toMatchObject({ count: 6 });
  });

  it("[F18] has changes that come after all before them were erased by age", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const name = room();
    for (let n = 0; n < 3; n++) await act(name, "add", 1);
    await pass(name, 7_200, 7_200);
    expect(await rowsOf(name, "log")).toMatchObject([{ entries: "[]" }]);
    await act(name, "put", "a", 1);
    await evictDurableObject(roomAt(name));
    expect(await wholeOf(name)).toEqual({ count: 3, notes: { a: 1 } });
  });

  it("costs 1 + 2/64 rows for an action alone", async () => {
    const name = room();
    using alice = await enter(name);
    await run(alice, "add", [1]);
    const written = () =>
      runInDurableObject(roomAt(name), (_, { storage }) => {
        const cursor = storage.sql.exec("SELECT count(*) AS n FROM room_state");
        return [...cursor].length;
      });
    expect(await written()).toBe(1);
    for (let n = 0; n < 70; n++) await run(alice, "add", [1]);
    const [row] = await rowsOf(name, "room_state");
    expect(row).toMatchObject({ version: 1, json: expect.stringContaining('"count":') });
    expect(JSON.parse(row!["json"] as string).count).toBeGreaterThan(60);
    expect(JSON.parse(row!["json"] as string).count).toBeLessThan(71);
  });

  it("begins anew when it is erased, at a new epoch, and members get it", async () => {
    const name = room();
    using alice = await enter(name);
    await run(alice, "add", [3]);
    const { epoch } = await roomAt(name).erase();
    const change = await alice.next(({ method, params }) => method === "$/state" && params.state);
    expect(change.params).toEqual({ state: { notes: {}, count: 0 } });
    expect(change.position).toBe(`${epoch}:0`);
    expect(await run(alice, "add", [1])).toBe(1);
  });

  it("[F20] is not shown where a view hides it, and a view that throws fails the flush", async () => {
    using alice = await enter(room("odd-view"));
    expect(alice.hello.params.state).toEqual({ count: 0 });
    await run(alice, "put", ["secret", 1]);
    await run(alice, "add", [2]);
    const failed = await alice.call("$/run", { action: "add", params: [11] });
    expect(failed.error?.data.code).toBe("internal");
    expect(await run(alice, "add", [1])).toBe(3);
    const changes = alice.heard.filter(({ method }) => method === "$/state");
    expect(changes.map(({ params }) => params)).toEqual([
      { patch: { count: 2 } },
      { patch: { count: 3 } },
    ]);
    using bob = await enter(room("odd-hidden"));
    expect("state" in bob.hello.params).toBe(false);
    await run(bob, "add", [2]);
    expect(bob.heard.filter(({ method }) => method === "$/state")).toEqual([]);
  });

  it("[F20] is what clients have where a view becomes all of it, and a part of it again", async () => {
    using alice = await enter(room("odd-revealed"));
    await run(alice, "put", ["card", "ace"]);
    const copies = [];
    for (const by of [3, 1, -2]) {
      await run(alice, "add", [by]);
      copies.push(copyOf(alice));
    }
    const notes = { card: "ace" };
    expect(copies).toEqual([{ count: 3, notes }, { count: 4, notes }, { count: 2 }]);
  });
});

describe("a resume", () => {
  it("[F12] replays changes, or gives a snapshot, never neither", async () => {
    const name = room();
    using alice = await enter(name);
    const { position: start } = alice.hello.params;
    await run(alice, "fill", [2_000]);
    const { position } = (await alice.call("$/run", { action: "add", params: [1] })).result;
    await run(alice, "add", [1]);
    using near = await enter(name, { since: position });
    expect(near.hello.params).toMatchObject({ recovered: true, replayed: 2 });
    expect(near.hello.params.state).toBeUndefined();
    expect((await near.said("$/state")).params).toEqual({ patch: { count: 2 } });
    for (let n = 0; n < 3; n++) await run(alice, "fill", [2_000 + n]);
    using far = await enter(name, { since: start });
    expect(far.hello.params).toMatchObject({ recovered: true, state: { count: 2 } });
    expect(far.heard.filter(({ method }) => method === "$/state")).toEqual([]);
    using lost = await enter(name, { since: "zzzzzzzzz:1" });
    expect(lost.hello.params).toMatchObject({ recovered: false, state: { count: 2 } });
  });
});

describe("[ST10] a schedule", () => {
  it("runs once, by the alarm, also asleep; under its id the newest counts", async () => {
    const name = room();
    using alice = await enter(name);
    vi.useFakeTimers({ toFake: ["Date"] });
    await run(alice, "later", [10, 1]);
    await run(alice, "later", [5, 2]);
    expect(await rowsOf(name, "room_schedule")).toMatchObject([{ id: "tick", failures: 0 }]);
    await evictDurableObject(roomAt(name));
    vi.setSystemTime(Date.now() + 6_000);
    await runDurableObjectAlarm(roomAt(name));
    expect(await rowsOf(name, "room_schedule")).toEqual([]);
    expect(await run(alice, "add", [0])).toBe(2);
  });

  it("[F17] that fails is tried again with pauses, five times, and then kept", async () => {
    const name = room();
    using alice = await enter(name);
    vi.useFakeTimers({ toFake: ["Date"] });
    await run(alice, "failing");
    for (const seconds of [1, 1, 5, 25, 125, 1_000]) {
      vi.setSystemTime(Date.now() + seconds * 1_000 + 1);
      await runDurableObjectAlarm(roomAt(name));
    }
    expect(await rowsOf(name, "room_schedule")).toMatchObject([{ id: "fail", failures: 5 }]);
    expect(await run(alice, "pending")).toMatchObject([{ id: "fail", failures: 5 }]);
    expect(await run(alice, "add", [0])).toBe(0);
    await run(alice, "cancel", ["fail"]);
    expect(await rowsOf(name, "room_schedule")).toEqual([]);
  });

  it("[F17] whose effects cannot be saved has failed, and keeps no other from running", async () => {
    const name = room("odd-view");
    using alice = await enter(name);
    vi.useFakeTimers({ toFake: ["Date"] });
    await run(alice, "every", [1]);
    await run(alice, "later", [1, 12]);
    vi.setSystemTime(Date.now() + 1_001);
    await runDurableObjectAlarm(roomAt(name));
    expect(await run(alice, "add", [0])).toBe(1);
    expect(await run(alice, "pending")).toMatchObject([
      { id: "often", failures: 0 },
      { id: "tick", failures: 1 },
    ]);
  });

  it("of a period runs what was missed once, and goes on from the time that was planned", async () => {
    const name = room();
    using alice = await enter(name);
    vi.useFakeTimers({ toFake: ["Date"] });
    const start = Date.now();
    await run(alice, "every", [10]);
    vi.setSystemTime(start + 35_000);
    await runDurableObjectAlarm(roomAt(name));
    const [next] = (await run(alice, "pending")) as { at: number }[];
    expect(next!.at).toBe(start + 40_000);
    expect(await run(alice, "add", [0])).toBe(1);
    const cron = await alice.call("$/run", { action: "every", params: ["0 9 * *"] });
    expect(cron.error?.data.code).toBe("internal");
    await run(alice, "every", ["0 9 * * *"]);
    const [daily] = (await run(alice, "pending")) as { at: number }[];
    expect(new Date(daily!.at).toISOString()).toMatch(/T09:00:00\.000Z$/);
  });
});

describe("messages to other rooms", () => {
  it("[F3] are sent after the commit, once, and leave no row", async () => {
    const [name, other] = [room(), crypto.randomUUID()];
    using alice = await enter(name);
    using bob = await enter(`odd/group:${other}`, { user: "bob" });
    await run(alice, "tell", [other, "hello"]);
    expect((await bob.said("said")).params).toEqual(["hello"]);
    await vi.waitFor(async () => expect(await rowsOf(name, "room_outgoing")).toEqual([]));
  });

  it("[F3] are sent again from their row where a crash came between, under the same id", async () => {
    const [name, other] = [room(), crypto.randomUUID()];
    using alice = await enter(name);
    using bob = await enter(`odd/group:${other}`, { user: "bob" });
    await run(alice, "tell", [other, "first"]);
    await bob.said("said");
    const draft = { target: "said", params: '["again"]', id: "e:9/0" };
    const json = JSON.stringify([[`group:${other}`, draft]]);
    await runInDurableObject(roomAt(name), (_, { storage }) =>
      storage.sql.exec("INSERT INTO room_outgoing VALUES (9, ?)", json),
    );
    await evictDurableObject(roomAt(name));
    await runDurableObjectAlarm(roomAt(name));
    expect((await bob.said("said")).params).toEqual(["again"]);
    await vi.waitFor(async () => expect(await rowsOf(name, "room_outgoing")).toEqual([]));
  });
});

describe("tables of the room's own", () => {
  it("take bytes and give them", async () => {
    using alice = await enter(room("scans"));
    expect(await run(alice, "bytes")).toEqual([true, 1, 2]);
  });

  it("[ST2][F6] are rolled back with the action, and erased with the room", async () => {
    const name = room("scans");
    using alice = await enter(name);
    expect(await run(alice, "scan", ["dock"])).toBe(1);
    const failed = await alice.call("$/run", { action: "scan", params: ["nowhere"] });
    expect(failed.error?.data.code).toBe("nowhere");
    expect(await run(alice, "scan", ["gate"])).toBe(2);
    await evictDurableObject(roomAt(name));
    expect(await run(alice, "places")).toEqual(["dock", "gate"]);
    await roomAt(name).erase();
    expect(await run(alice, "places")).toEqual([]);
    expect(await run(alice, "scan", ["dock"])).toBe(1);
  });
});
