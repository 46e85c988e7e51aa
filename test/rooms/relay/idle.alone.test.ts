// 200 idle streams of rooms' events, 200 hanging polls and 40 streams of SignalR's: a minute passes over all of them,
// and no object behind them wakes. The worker's timers run 60 times as fast; the objects have none.

import {
  evictAllDurableObjects,
  evictDurableObject,
  listDurableObjectIds,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { RelayObject } from "../../../src/rooms/relay/relay-object.ts";
import { RoomObject } from "../../../src/rooms/room/room-object.ts";
import { roomAt, token } from "../client.ts";
import {
  abreast,
  events,
  poller,
  signalrEvents,
  type Ask,
  type Idle,
} from "../../support/idle-clients.ts";

const ROOMS = Array.from({ length: 8 }, (_, i) => `idle-${i}`);
const FASTER = 60;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Past the alarms for handshakes and first polls, and for what followers may not have heard. */
const SETTLED_MS = 16_000;

const ask: Ask = async (user, path, init = {}) => {
  const headers = { authorization: `Bearer ${await token(user)}`, ...init.headers };
  return exports.default.fetch(`https://edge.example${path}`, { ...init, headers });
};

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** How often any object was made: an object that wakes is made anew. */
function countingWakes(): () => number {
  const made = [RoomObject, RelayObject].map(({ prototype }) =>
    vi.spyOn(prototype as unknown as { wake(): unknown }, "wake"),
  );
  return () => made.reduce((sum, { mock }) => sum + mock.calls.length, 0);
}

/** The worker's keep-alives come faster; gives how many go on. */
function hastening(): () => number {
  const open = new Set<unknown>();
  const [begin, end] = [globalThis.setInterval, globalThis.clearInterval];
  vi.spyOn(globalThis, "setInterval").mockImplementation(((run: () => void, ms: number) => {
    const timer = begin(run, ms / FASTER);
    open.add(timer);
    return timer;
  }) as typeof setInterval);
  vi.spyOn(globalThis, "clearInterval").mockImplementation((timer) => {
    open.delete(timer);
    end(timer as number);
  });
  return () => open.size;
}

/** Polls that hang: each has a timer of more than a minute. */
function hanging(): () => number {
  const open = new Set<unknown>();
  const [begin, end] = [globalThis.setTimeout, globalThis.clearTimeout];
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void, ms: number) => {
    const timer = begin(run, ms);
    if (ms > MINUTE_MS) open.add(timer);
    return timer;
  }) as typeof setTimeout);
  vi.spyOn(globalThis, "clearTimeout").mockImplementation((timer) => {
    open.delete(timer);
    end(timer as number);
  });
  return () => open.size;
}

async function objects() {
  const [rooms, relays] = [
    await listDurableObjectIds(env.ROOMS),
    await listDurableObjectIds(env.RELAYS),
  ];
  return [...rooms.map((id) => env.ROOMS.get(id)), ...relays.map((id) => env.RELAYS.get(id))];
}

const sum = (counts: readonly number[]) => counts.reduce((all, one) => all + one, 0);

const sockets = async () =>
  sum(
    await Promise.all(
      (await objects()).map((one) =>
        runInDurableObject(one, (_, state) => state.getWebSockets().length),
      ),
    ),
  );

/** What was due soon is done; gives when the next is, from now. */
async function rested(stub: Awaited<ReturnType<typeof objects>>[number]): Promise<number> {
  await runDurableObjectAlarm(stub);
  const next = await runInDurableObject(stub, (_, { storage }) => storage.getAlarm());
  return (next ?? Infinity) - Date.now();
}

/** Alarms ring by the machine's own clock, which a busy machine may let pass by a minute in this test. */
const postponed = (stub: Awaited<ReturnType<typeof objects>>[number]): Promise<void> =>
  runInDurableObject(stub, async (_, { storage }) => {
    const next = await storage.getAlarm();
    if (next !== null) await storage.setAlarm(next + DAY_MS);
  });

it("wake no object for a minute, hear what is said then, and leave nothing behind", async () => {
  const [intervals, pending] = [hastening(), hanging()];
  // The clock stands, but for the steps below: how long the clients take to come counts nowhere.
  vi.setSystemTime(Date.now());
  const waiting = (kind: string) => (i: number) => ({
    ...{ ask, hub: "relayed", group: ROOMS[i % ROOMS.length]!, user: `${kind}-${i}` },
  });
  const streams = await abreast(200, waiting("reader"), events);
  const polls = await abreast(200, waiting("poller"), poller);
  const others = await abreast(40, waiting("listener"), signalrEvents);
  const all: readonly Idle[] = [...streams, ...polls, ...others];
  expect(await sockets()).toBe(440);
  expect([intervals(), pending()]).toEqual([240, 200]);

  // Nothing of their own will wake them, either, once all is settled that came with the clients.
  // What the hub's index shall know takes two alarms: one may find that something still went on, the next finds rest.
  vi.setSystemTime(Date.now() + SETTLED_MS);
  await Promise.all((await objects()).map(rested));
  vi.setSystemTime(Date.now() + SETTLED_MS);
  const due = await Promise.all((await objects()).map(rested));
  expect(Math.min(...due)).toBeGreaterThan(MINUTE_MS);
  await Promise.all((await objects()).map(postponed));
  await evictAllDurableObjects();
  const wakes = countingWakes();
  const kept = [...streams, ...others].map((one) => one.keptAlive());
  // Four comments of a room's, or pings of SignalR's, are a minute.
  await Promise.all(kept.map((keptAlive) => keptAlive(4)));
  expect(wakes()).toBe(0);
  for (const stub of await objects())
    await expect(evictDurableObject(stub)).rejects.toThrow(/not .*running/i);

  for (const name of ROOMS)
    await roomAt(`relayed/group:${name}`).publish({ target: "said", params: '["good morning"]' });
  await Promise.all(all.map((one) => one.hears("good morning")));
  expect(wakes()).toBeGreaterThanOrEqual(ROOMS.length + 1);

  await Promise.all(all.map((one) => one.leave()));
  await expect.poll(sockets, { timeout: 10_000 }).toBe(0);
  expect([intervals(), pending()]).toEqual([0, 0]);
}, 120_000);
