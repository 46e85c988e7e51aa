// 200 idle streams of rooms' events, 200 hanging polls and 40 streams of SignalR's: a minute passes over all of them, and
// no object behind them wakes. The worker's timers run 60 times as fast; the objects have none.

import {
  evictAllDurableObjects,
  evictDurableObject,
  listDurableObjectIds,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { RelayObject } from "../../src/rooms/relay.ts";
import { RoomObject } from "../../src/rooms/room.ts";
import { roomAt } from "../rooms/client.ts";
import { abreast, events, poller, signalrEvents, type Idle } from "./idle-clients.ts";

const ROOMS = Array.from({ length: 8 }, (_, i) => `idle-${i}`);
const FASTER = 60;
const MINUTE_MS = 60_000;

afterEach(() => vi.restoreAllMocks());

/** How often any object was made: an object that wakes is made anew. */
function countingWakes(): () => number {
  const made = [RoomObject, RelayObject].map(({ prototype }) =>
    vi.spyOn(prototype as unknown as { assemble(): unknown }, "assemble"),
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

it("wake no object for a minute, hear what is said then, and leave nothing behind", async () => {
  const intervals = hastening();
  const group = (i: number) => ROOMS[i % ROOMS.length]!;
  const streams = await abreast(200, (i) => events("relayed", group(i), `reader-${i}`));
  const polls = await abreast(200, (i) => poller("relayed", group(i), `poller-${i}`));
  const others = await abreast(40, (i) => signalrEvents("relayed", group(i), `listener-${i}`));
  const all: readonly Idle[] = [...streams, ...polls, ...others];
  expect(await sockets()).toBe(440);
  expect(intervals()).toBe(240);

  // Nothing of their own will wake them, either: alarms of handshakes and first polls are over.
  const due = await Promise.all((await objects()).map(rested));
  for (const [i, d] of due.entries()) if (d < MINUTE_MS) { const o = (await objects())[i]!; console.log(d, await runInDurableObject(o, (x: any) => [x.ctx.id.name, x.parts.duties.map((y: any) => [y.constructor.name, y.due(Date.now()) - Date.now()])])); }
  expect(Math.min(...due)).toBeGreaterThan(MINUTE_MS);
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
  expect(intervals()).toBe(0);
}, 60_000);
