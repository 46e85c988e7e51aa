// Webhook events in `/api/metrics`: delivered, failed, given up, and those that wait.

import { env, exports } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { RoomObject } from "../../src/rooms/room/room-object.ts";
import type { EndpointEnv } from "../../src/server.ts";
import { alarmOf } from "../rooms/alarms.ts";
import { enter, roomAt, token } from "../rooms/client.ts";
import { Receiver, SECRET } from "./receiver.ts";

let receiver: Receiver;
const set = (changes: Partial<EndpointEnv>) => Object.assign(env, changes);
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  receiver = new Receiver();
  const WEBHOOK_EVENTS = "connected,disconnected,joined,left,message";
  set({ WEBHOOK_URL: receiver.urls.events, WEBHOOK_SECRET: SECRET, WEBHOOK_EVENTS });
  for (const level of ["warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  set({ WEBHOOK_URL: "", WEBHOOK_SECRET: "", WEBHOOK_EVENTS: "" });
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const down = () => {
  receiver.answer = () => Promise.reject(new TypeError("connection refused"));
};
const fine = () => {
  receiver.answer = () => new Response(null, { status: 204 });
};

/** Of a tenant's hub: figures by name and outcome. */
async function scraped(tenant: string, hub: string): Promise<Record<string, number>> {
  const bearer = await token("prometheus", { role: "service", tid: tenant });
  const headers = { authorization: `Bearer ${bearer}` };
  const answer = await exports.default.fetch("https://edge.example/api/metrics", { headers });
  const series = /^dormouse_(?:hub_)?webhook_(\w+)\{hub="(\w+)"(?:,outcome="(\w+)")?\} ([\d.]+)$/gm;
  return Object.fromEntries(
    [...(await answer.text()).matchAll(series)].flatMap(([, name, of, outcome, value]) =>
      of === hub ? [[outcome ?? name!, Number(value)]] : [],
    ),
  );
}

/** Resolves when the room has sent its events, or waits for the next attempt. */
const calm = (stub: DurableObjectStub) =>
  vi.waitFor(() =>
    runInDurableObject(stub, async (_, { storage: { kv, sql } }) => {
      const [row] = sql.exec<{ count: number }>("SELECT count(*) AS count FROM webhooks");
      const { at = 0 } = kv.get<{ at: number }>("webhook-retry") ?? {};
      if (row!.count > 0 && at <= Date.now()) throw new Error("A request is under way.");
      await scheduler.wait(1);
    }),
  );

/** Rings the alarms that are due within the time. The room sleeps where none is due within ten seconds. */
async function pass(stub: DurableObjectStub, seconds: number): Promise<void> {
  const until = Date.now() + seconds * 1_000;
  await calm(stub);
  for (let due = await alarmOf(stub); due !== null && due <= until; due = await alarmOf(stub)) {
    if (due > Date.now() + 10_000) await evictDurableObject(stub);
    vi.setSystemTime(Math.max(Date.now(), due));
    await runDurableObjectAlarm(stub);
    await calm(stub);
  }
  vi.setSystemTime(until);
}

const NONE = { delivered: 0, failed: 0, dropped: 0, refused: 0, lost: 0 };

it("are zero where there is none, and of a hub as a whole", async () => {
  const figures = await scraped("no-events", "orders");
  expect(figures).toEqual({ ...NONE, waiting_events: 0, waiting_seconds: 0 });
});

it("wait while the receiver is down, over sleeps, and are delivered after it", async () => {
  const [tenant, room] = ["events-wait", "orders/order:waits"];
  const stub = roomAt(room, tenant);
  const began = Date.now();
  down();
  using client = await enter(room, { claims: { tid: tenant } });
  await client.heardFrame(({ method }) => method === "$/presence");
  await receiver.until(() => receiver.requests.length > 0);
  await pass(stub, 20);
  const { waiting_events: events, waiting_seconds: seconds } = await scraped(tenant, "orders");
  expect([events, seconds]).toEqual([2, (Date.now() - began) / 1_000]);

  const reports = vi.spyOn(RoomObject.prototype, "report");
  const before = receiver.requests.length;
  await pass(stub, 3_600);
  const attempts = receiver.requests.length - before;
  expect(attempts).toBeGreaterThan(10);
  expect(reports.mock.calls.filter(([name]) => name === "order:waits").length).toBeLessThan(6);
  const later = await scraped(tenant, "orders");
  expect(later["failed"]).toBeGreaterThan(before);
  expect(later["waiting_seconds"]).toBeGreaterThan(3_600);

  fine();
  await pass(stub, 400);
  await pass(stub, 20);
  const figures = await scraped(tenant, "orders");
  expect(receiver.taken.length).toBeGreaterThan(1);
  expect(figures).toEqual({
    ...{ ...NONE, delivered: receiver.taken.length, failed: figures["failed"] },
    ...{ waiting_events: 0, waiting_seconds: 0 },
  });
});

it("are counted in a room that sleeps between its messages, without a report for each", async () => {
  const [tenant, room] = ["events-sparse", "orders/order:sparse"];
  const stub = roomAt(room, tenant);
  using client = await enter(room, { claims: { tid: tenant } });
  await client.heardFrame(({ method }) => method === "$/presence");
  await receiver.until(() => receiver.taken.length === 2);
  await pass(stub, 20);
  await evictDurableObject(stub);
  const reports = vi.spyOn(RoomObject.prototype, "report");
  for (let n = 1; n <= 5; n++) {
    await stub.publish({ target: "said", params: `[${n}]` });
    await receiver.until(() => receiver.taken.length === n + 2);
    await calm(stub);
    await evictDurableObject(stub);
    vi.setSystemTime(Date.now() + 60_000);
  }
  expect(reports.mock.calls.filter(([name]) => name === "order:sparse")).toEqual([]);
  await pass(stub, 2_400);
  expect(await scraped(tenant, "orders")).toMatchObject({
    ...{ delivered: receiver.taken.length, failed: 0 },
  });
});

it("are counted where the receiver refuses one, and later ones go on", async () => {
  const [tenant, room] = ["events-refused", "orders/order:refused"];
  const stub = roomAt(room, tenant);
  receiver.answer = ({ events }) =>
    new Response(null, { status: events.some(({ type }) => type.endsWith("joined")) ? 422 : 204 });
  using client = await enter(room, { claims: { tid: tenant } });
  await client.heardFrame(({ method }) => method === "$/presence");
  await receiver.until(() => receiver.requests.length > 0);
  await pass(stub, 2_400);
  const delivered = receiver.taken.map(({ type }) => type);
  expect(delivered).not.toContain("dormouse.joined");
  expect(await scraped(tenant, "orders")).toMatchObject({
    ...{ ...NONE, refused: 1, failed: 4, delivered: delivered.length },
    ...{ waiting_events: 0, waiting_seconds: 0 },
  });
});
