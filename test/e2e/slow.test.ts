// A reader that stops reading: its queue is bounded, it is let go, and nobody else notices.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../support/endpoint.ts";
import { startEngine } from "../support/engine.ts";
import { Ledger } from "../support/ledger.ts";
import { enter, eventually, type Client } from "./client.ts";
import { barrier, heardOf, Subscriber } from "./load.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await startEngine()));
afterAll(() => endpoint[Symbol.asyncDispose]());

/** As large as chat takes: 4,000 characters of three bytes. */
const LARGE = "€".repeat(3_980);
const PUBLISHERS = 20;

describe("a client that stops reading while large messages flow", () => {
  it("[R8] is closed with 4408, leaves, and is served again when it comes back; others hear all", async () => {
    const ledger = new Ledger();
    const load = { endpoint, ledger, room: "group:slow" };
    using watcher = new Subscriber("watcher", load);
    using other = new Subscriber("other", load);
    await Promise.all([watcher.enter(), other.enter()]);
    const slow = await enter(endpoint, "chat/group:slow", { user: "slow" });
    const last = slow.hello.params.position as string;
    slow.socket.pause();
    const publishers = await Promise.all(
      Array.from({ length: PUBLISHERS }, (_, i) =>
        enter(endpoint, "chat/group:loud", { user: `p${i}`, onFrame: () => {} }),
      ),
    );
    const flood = new AbortController();
    const flooding = publishers.map((one, i) => floodFrom(one, `p${i}`, ledger, flood.signal));
    await eventually(async () => (await connectionsOf(watcher)) === 2, "the slow one is let go");
    flood.abort();
    await Promise.all(flooding);
    expect(await barrier(ledger, [watcher, other])).toEqual([]);

    await eventually(async () => watcher.presence.left.includes("slow"), "the leave is said");
    slow.socket.resume();
    expect(await slow.closed).toEqual({
      code: 4408,
      reason: "Too many bytes were waiting for this socket.",
    });

    const back = await enter(endpoint, "chat/group:slow", { user: "slow", since: last });
    // It missed more than the room keeps, and is told so.
    expect(back.hello.params).toMatchObject({ recovered: false, replayed: 0 });
    await back.result("sendToRoom", ["slow", "I am back"]);
    expect((await back.said("receiveMessage")).params).toEqual(["slow", "I am back"]);
    for (const one of [back, ...publishers]) one[Symbol.dispose]();
  });

  it("[R8] is not closed for a pause that fits into its queue, and has missed nothing", async () => {
    const ledger = new Ledger();
    const load = { endpoint, ledger, room: "group:pausing" };
    using pausing = new Subscriber("pausing", load);
    using publisher = await enter(endpoint, "chat/group:pausing", { user: "p0" });
    await pausing.enter();
    pausing.client!.socket.pause();
    for (let i = 0; i < 40; i += 1) await sayTo(publisher, ledger, "p0", "pausing");
    pausing.client!.socket.resume();
    expect(await barrier(ledger, [pausing])).toEqual([]);
    expect(publisher.messages("receiveMessage").map((one) => heardOf(one).stamp)).toHaveLength(40);
  });
});

/** Says as much as it may, until it is told to stop. */
async function floodFrom(
  client: Client,
  name: string,
  ledger: Ledger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) await sayTo(client, ledger, name, "slow");
}

/** Over its rate it is refused, and says the same again. */
async function sayTo(client: Client, ledger: Ledger, name: string, room: string): Promise<void> {
  const stamp = ledger.stamp(name);
  for (;;) {
    const { error } = await client.call("sendToRoom", [room, `${stamp} ${LARGE}`]);
    if (!error) return ledger.acked(stamp);
    if (error.data.code !== "rate_limited") throw new Error(error.message);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function connectionsOf({ client }: Subscriber): Promise<number> {
  const { connections } = (await client!.result("$/presence", {})) as { connections: number };
  return connections;
}
