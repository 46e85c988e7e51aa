// 200 idle streams of rooms' events, 200 hanging polls and 40 streams of SignalR's against the real endpoint, for a
// minute and a half of real time: what they wait for sleeps, by itself, and wakes for nothing. DORMOUSE_LONG=1.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../support/endpoint.ts";
import {
  abreast,
  events,
  poller,
  signalrEvents,
  type Ask,
  type Census,
  type Idle,
} from "../support/idle-clients.ts";
import { startEngine } from "../support/engine.ts";
import { enter, eventually } from "./client.ts";

const isLong = process.env["DORMOUSE_LONG"] === "1";
const GROUPS = Array.from({ length: 8 }, (_, i) => `idle-${i}`);
/** Polls at one relay, and streams at another: a poll that has hung for its 90 s wakes its own. */
const [POLLED, STREAMED] = ["relayed", "remembering"] as const;

let endpoint: Endpoint;
const ask: Ask = async (user, path, init = {}) => {
  const headers = { authorization: `Bearer ${await endpoint.token(user)}`, ...init.headers };
  return fetch(`${endpoint.url}${path}`, { ...init, headers });
};
const census = async () => (await ask("nobody", "/census")).json() as Promise<Census>;

const waiting = (hub: string, kind: string) => (i: number) => ({
  ...{ ask, hub, group: GROUPS[i % GROUPS.length]!, user: `${kind}-${i}` },
});

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, one) => all + one, 0);

async function sayGoodMorning(hub: string): Promise<void> {
  for (const group of GROUPS) {
    using speaker = await enter(endpoint, `${hub}/group:${group}`, { user: "speaker" });
    await speaker.result("say", [group, "good morning"]);
  }
}

describe.runIf(isLong)("streams and polls at rest", () => {
  beforeAll(async () => void (endpoint = await startEngine({ worker: "census-worker.ts" })));
  afterAll(() => endpoint[Symbol.asyncDispose]());

  it("let their objects sleep, and hear what is said after a minute", async () => {
    const streams = await abreast(200, waiting(POLLED, "reader"), events);
    const others = await abreast(40, waiting(STREAMED, "listener"), signalrEvents);
    const polls = await abreast(200, waiting(POLLED, "poller"), poller);
    const kept = (times: number) =>
      Promise.all([...streams, ...others].map((one) => one.keptAlive()(times)));

    // 30 s: what came with the clients is settled, and the alarms for it have rung.
    await kept(2);
    const before = await census();
    await kept(4);
    const after = await census();
    expect(after.rooms).toEqual(before.rooms);
    const at = (hub: string) => (name: string) => name.startsWith(`default/${hub}/`);
    const relaysOf = ({ relays }: Census, hub: string) =>
      Object.entries(relays).filter(([name]) => at(hub)(name));
    expect(relaysOf(before, STREAMED)).toHaveLength(1);
    expect(relaysOf(after, STREAMED)).toEqual(relaysOf(before, STREAMED));
    expect(sum(after.relays) - sum(before.relays)).toBeLessThanOrEqual(2);
    expect(after.intervals).toBe(240);

    for (const hub of [POLLED, STREAMED]) await sayGoodMorning(hub);
    const all: readonly Idle[] = [...streams, ...polls, ...others];
    await Promise.all(all.map((one) => one.hears("good morning")));
    const awake = await census();
    // Each room was made anew for this: it had not been there.
    for (const hub of [POLLED, STREAMED])
      for (const group of GROUPS) {
        const name = `default/${hub}/group/${group}`;
        expect([name, awake.rooms[name]]).toEqual([name, after.rooms[name]! + 1]);
      }

    await Promise.all(all.map((one) => one.leave()));
    const sockets = async () => (await ask("nobody", "/census/sockets")).json();
    await eventually(async () => (await sockets()) === 0, "all sockets are gone");
    expect((await census()).intervals).toBe(0);
    console.log(`${sum(before.rooms)} rooms and ${sum(before.relays)} relays made till they slept`);
  }, 180_000);
});
