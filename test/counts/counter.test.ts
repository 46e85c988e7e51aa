// The counting itself: what a row, a key, an alarm, a call or a wake more looks like.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Tenant } from "./clients.ts";
import { pass, restartClock, settled, stopClock } from "./clock.ts";
import { counter } from "./counter.ts";

beforeEach(stopClock);
afterEach(restartClock);

const roomOf = (tenant: string) => env.ROOMS.getByName(`${tenant}/counted/group/counting`);

it("counts each row, key and alarm of an object", async () => {
  let read = 0;
  await runInDurableObject(roomOf("rows"), async (_, { storage }) => {
    storage.sql.exec("CREATE TABLE counted (number INTEGER PRIMARY KEY)");
    counter.begin();
    const cursors = [
      storage.sql.exec("INSERT INTO counted VALUES (1), (2)"),
      storage.sql.exec("SELECT * FROM counted"),
      storage.sql.exec("SELECT * FROM counted"),
      storage.sql.exec("SELECT * FROM counted WHERE number = 1"),
    ];
    expect([...cursors[1]!]).toHaveLength(2);
    expect(cursors[2]!.toArray()).toHaveLength(2);
    expect(cursors[3]!.one()).toEqual({ number: 1 });
    // The platform's own figures, once all was read: a table of two rows twice, and one row.
    read = cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0);
    storage.kv.put("key", 1);
    storage.kv.get("key");
    storage.kv.delete("key");
    expect([...storage.kv.list()]).toEqual([]);
    await storage.setAlarm(Date.now() + 1_000);
    expect(await storage.getAlarm()).toBe(Date.now() + 1_000);
  });
  expect(counter.counts).toEqual({
    "alarms set": 1,
    "keys read": 1,
    "keys written": 2,
    "rows read": read,
    "rows written": 2,
  });
  expect(read).toBeGreaterThanOrEqual(5);
});

it("lets an object sleep after ten seconds, and counts its wake with the next call", async () => {
  const tenant = new Tenant("sleep");
  const alice = await (await tenant.room("alice", "counting"))();
  await settled();
  await pass(9_000);
  counter.begin();
  await alice.call("echo", ["awake"]);
  expect(counter.counts["wakes room"]).toBeUndefined();
  // Past the alarms that follow a connect.
  await pass(60_000);
  counter.begin();
  await alice.call("echo", ["asleep"]);
  await settled();
  expect(counter.counts).toMatchObject({ "messages room": 1, "wakes room": 1 });
});

it("rings alarms in their order, each when it is due", async () => {
  const rung: [string, number][] = [];
  const from = Date.now();
  for (const [tenant, seconds] of [
    ["late", 20],
    ["early", 5],
    ["never", 40],
  ] as const)
    await runInDurableObject(roomOf(tenant), async (room, { storage }) => {
      await storage.setAlarm(from + seconds * 1_000);
      Object.assign(room, { alarm: async () => void rung.push([tenant, Date.now() - from]) });
    });
  counter.awake.clear();
  await pass(30_000);
  expect(rung).toEqual([
    ["early", 5_000],
    ["late", 20_000],
  ]);
  expect(Date.now()).toBe(from + 30_000);
});
