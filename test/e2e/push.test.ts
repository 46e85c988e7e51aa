// Services that push many updates by REST against the real `wrangler dev`: whoever follows an order hears all of it,
// once and in order, whatever the transport; and a service that asks too often comes to its end all the same, if it
// waits as it is told.

import { describe, expect, it } from "vitest";
import { backend } from "../../src/client/backend/index.ts";
import type { OrderHub } from "../../src/hubs/orders.ts";
import type { Endpoint } from "../support/endpoint.ts";
import { startEngine } from "../support/engine.ts";
import { eventually } from "./client.ts";
import { Follower, overEvents, overPartySocket, overSignalR } from "./order-followers.ts";
import { inLanes, Pusher } from "./pusher.ts";

const KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";
const IN_FLIGHT = 32;
/** Rooms of one stream; and of one client of SignalR, which may be in 100, its user's and the hub's among them. */
const ROOMS = { events: 20, signalR: 50 };

const inPieces = <T>(all: readonly T[], size: number): T[][] =>
  numbered(Math.ceil(all.length / size)).map((n) => all.slice(+n * size, (+n + 1) * size));

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

/** Each order has followers of every kind. */
async function followAll(endpoint: Endpoint, orders: readonly string[], each: number) {
  const kinds = [
    ...inPieces(orders, ROOMS.signalR).map((own) => ({ kind: "signalr", own, enter: overSignalR })),
    ...inPieces(orders, ROOMS.events).map((own) => ({ kind: "events", own, enter: overEvents })),
    ...inPieces(orders, 1).map((own) => ({ kind: "party", own, enter: overPartySocket })),
  ];
  const followers: Follower[] = [];
  await using all = new AsyncDisposableStack();
  for (const { kind, own, enter } of kinds) {
    const follower = all.use(new Follower(`${kind}-${own[0]}`, own, each));
    followers.push(follower);
    await enter(endpoint, follower);
  }
  const kept = all.move();
  return {
    /** Until all have heard all; answers what is wrong. */
    async heard(): Promise<readonly string[]> {
      const missing = () => followers.flatMap((one) => one.missing);
      const wrong = () => followers.flatMap((one) => one.wrong);
      await eventually(
        async () => wrong().length > 0 || missing().length === 0,
        "all have heard all",
      ).catch(() => {});
      return [...wrong(), ...missing()];
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const quantile = (values: readonly number[], part: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)]!.toFixed(1);

describe("a service", () => {
  it("pushes 10,000 updates of 100 orders, 32 in flight: all arrive once, in order per order, at every kind of client", async () => {
    await using endpoint = await startEngine({
      vars: { ACCESS_KEYS: KEY, REST_PER_SECOND: "100000" },
    });
    const [orders, updates] = [numbered(100), numbered(100)];
    await using crowd = await followAll(endpoint, orders, updates.length);
    using pusher = new Pusher(endpoint.url, KEY, IN_FLIGHT);
    const began = performance.now();
    await inLanes(orders, IN_FLIGHT, async (order) => {
      const first = await pusher.push(order, "0");
      for (const update of updates.slice(1, -1)) await pusher.push(order, update);
      const last = await pusher.push(order, updates.at(-1)!);
      expect(last).toEqual({ ...first, offset: expect.any(Number) });
      expect(last.offset - first.offset).toBeGreaterThanOrEqual(updates.length - 1);
    });
    const seconds = (performance.now() - began) / 1_000;
    expect(await crowd.heard()).toEqual([]);
    const { latencies, connections } = pusher;
    expect(latencies).toHaveLength(10_000);
    console.log(
      `${latencies.length} pushes: ${Math.round(latencies.length / seconds)} requests/s, p50 ${quantile(latencies, 0.5)} ms, ` +
        `p99 ${quantile(latencies, 0.99)} ms, ${connections} connections`,
    );
  });

  it("that is told to come back later does so, and nothing is lost or said twice", async () => {
    await using endpoint = await startEngine({
      // Slow machines push 20 a second.
      vars: { ACCESS_KEYS: KEY, REST_PER_SECOND: "10" },
    });
    const [orders, updates] = [numbered(20), numbered(6)];
    await using crowd = await followAll(endpoint, orders, updates.length);
    const waits: (string | null)[] = [];
    const fetcher = {
      async fetch(request: Request): Promise<Response> {
        const response = await fetch(request);
        if (response.status === 429) waits.push(response.headers.get("retry-after"));
        return response;
      },
    };
    const service = backend<OrderHub>({
      ...{ url: `${endpoint.url}/hubs/orders`, accessKey: KEY, fetcher },
    });
    // Few at once: with more than the rate of a second, one is refused more often than it comes back.
    await inLanes(orders, 4, async (order) => {
      for (const update of updates)
        await service.clients.order(order).orderStatusChanged(order, update);
    });
    expect(await crowd.heard()).toEqual([]);
    // 120 are more than the 20 that may come at once.
    expect(new Set(waits)).toEqual(new Set(["1"]));
    console.log(`${orders.length * updates.length} pushes, of which ${waits.length} were refused`);
  });
});
