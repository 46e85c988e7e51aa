// A clock that a test moves: objects sleep after 10 s without an event, and alarms ring in their order, each when it
// is due. Nothing waits for the machine's own clock.

import { evictAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { counter, type Kind } from "./counter.ts";

/** The platform lets an object sleep after so long. */
const AWAKE_MS = 10_000;

/** A time that ends no token, on no whole minute. */
const START = Date.UTC(2026, 0, 1, 12, 0, 7);

export function stopClock(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
}

/** Ends what the test's clients left behind, so that no other test counts it. */
export async function restartClock(): Promise<void> {
  counter.alarms.clear();
  counter.awake.clear();
  await evictAllDurableObjects({ webSockets: "close" });
  await settled();
  counter.alarms.clear();
  vi.useRealTimers();
}

const NAMESPACES = { room: "ROOMS", relay: "RELAYS", account: "ACCOUNTS" } as const;

const stubOf = (kind: Kind, name: string): DurableObjectStub =>
  (env[NAMESPACES[kind]] as unknown as DurableObjectNamespace).getByName(name);

/** Turns of the event loop without anything under way after which nothing comes any more. */
const QUIET_TURNS = 12;

/** Everything that an operation began is over: calls between objects, flushes, timers. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < QUIET_TURNS; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (counter.underWay > 0) turn = 0;
  }
}

/** Moves the clock; what nobody has used for 10 s sleeps. */
async function moveTo(time: number): Promise<void> {
  vi.setSystemTime(time);
  for (const { kind, name, usedAt } of [...counter.awake.values()]) {
    if (time - usedAt < AWAKE_MS) continue;
    counter.awake.delete(name);
    // On a slow machine the platform may have let it sleep by its own clock.
    await evictDurableObject(stubOf(kind, name)).catch(ignoreSleeping);
  }
}

function ignoreSleeping(error: unknown): void {
  if (!/not .*running/i.test(String(error))) throw error;
}

const kindOf = (name: string): Kind => {
  const parts = name.split("/");
  return parts.length === 2 ? "account" : parts[2] === "relay" ? "relay" : "room";
};

async function ring(name: string): Promise<void> {
  const kind = kindOf(name);
  counter.add(`alarms ${kind}`);
  counter.use({ kind, name });
  // As in the engine: an object that wakes for its alarm still reads when that was set for, until the handler runs.
  const run = (object: DurableObject) => {
    counter.alarms.delete(name);
    return object.alarm!();
  };
  await runInDurableObject(stubOf(kind, name), run as never);
  await settled();
}

/** So much time passes: alarms ring, and objects fall asleep in between. */
export async function pass(ms: number): Promise<void> {
  const end = Date.now() + ms;
  for (;;) {
    const [next] = [...counter.alarms].toSorted(([, a], [, b]) => a - b);
    if (!next || next[1] > end) break;
    await moveTo(Math.max(next[1], Date.now()));
    await ring(next[0]);
  }
  await moveTo(end);
}
