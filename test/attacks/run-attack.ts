// One attack from the start of a server to its end: undisturbed, under attack, and what was held.

import type { Attack, Memory, Outcome, Report, Stage } from "./attack.ts";
import { Crowd, type Seen } from "./crowd.ts";
import { Server } from "./server.ts";

/** What an object may hold, `heldByObject` of src/model/options.ts, and a fifth. */
export const MEMORY_BOUND = 48 * 2 ** 20 * 1.2;
/** Times the undisturbed p99. */
export const SLOWER_BOUND = 2;

const CALM_MS = 6_000;
const SAMPLE_MS = 100;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function runAttack(attack: Attack, options: Omit<Stage, "server">): Promise<Report> {
  await using server = await Server.start({
    root: options.root,
    ...(attack.vars && { vars: attack.vars }),
  });
  const stage = { ...options, server };
  const { name, title } = attack;
  if (!attack.isWatched) {
    const { facts, failures } = await attack.run(stage);
    return { name, title, facts, failures };
  }
  using crowd = await Crowd.enter(server, options.crowd);
  await pause(2_000);
  const before = await memory(server);
  await crowd.look();
  await pause(CALM_MS);
  const calm = await crowd.look();
  const { outcome, peak } = await watched(server, () => attack.run(stage));
  const under = await crowd.look();
  const held = { resident: peak, alive: (await memory(server)).alive };
  outcome.release?.();
  const broke = attack.isFloor ? [] : [...broken(calm, under), ...tooMuch(before, held)];
  const failures = [...outcome.failures, ...broke];
  const floor = attack.isFloor && { isFloor: true as const };
  return { name, title, calm, under, before, held, facts: outcome.facts, failures, ...floor };
}

async function memory(server: Server): Promise<Memory> {
  const { alive } = await server.heap();
  return { alive, resident: server.residentBytes() };
}

async function watched(
  server: Server,
  run: () => Promise<Outcome>,
): Promise<{ outcome: Outcome; peak: number }> {
  let peak = 0;
  const sampling = setInterval(
    () => (peak = Math.max(peak, server.residentBytes() || 0)),
    SAMPLE_MS,
  );
  try {
    return { outcome: await run(), peak };
  } finally {
    clearInterval(sampling);
  }
}

function broken(calm: Seen, under: Seen): string[] {
  const failures: string[] = [];
  if (under.p99 > SLOWER_BOUND * calm.p99)
    failures.push(`p99 of bystanders ${(under.p99 / calm.p99).toFixed(1)} × undisturbed`);
  if (under.missing > 0) failures.push(`${under.missing} deliveries to bystanders missing`);
  if (under.closed > calm.closed) failures.push(`${under.closed - calm.closed} bystanders closed`);
  return failures;
}

function tooMuch(before: Memory, held: Memory): string[] {
  const more = held.alive - before.alive;
  return more > MEMORY_BOUND ? [`${Math.round(more / 2 ** 20)} MB held on the heap`] : [];
}
