// The highest rate at which one room's messages do not pile up: rates are tried one after another on the same
// sockets, each for a moment, first ever higher ones, then between the last that was carried and the first that was
// not.

import { setTimeout as sleep } from "node:timers/promises";
import { Clock } from "./clock.ts";
import type { RoomLoad } from "./room-load.ts";
import { job, measure, until } from "./session.ts";
import { readUsage, usageBetween, type Usage } from "./usage.ts";

/** Messages that wait for some subscriber beyond which a rate is not carried. */
const BACKLOG = 50;
const FIRST_RATE = 20;
const GROWTH = 2;
/** The result is exact to an eighth. */
const BISECTIONS = 3;
const TRY_MS = 1_000;
const PAUSE_MS = 5_000;

/** Whether the rate was carried all the time. Afterwards the server has caught up. */
async function isCarried(room: RoomLoad, rate: number, ms: number): Promise<boolean> {
  const clock = new Clock(rate, (dueAt) => room.publish(1, dueAt));
  clock.start();
  const overloaded = await until(() => room.backlog >= BACKLOG, ms);
  clock.stop();
  await until(() => room.backlog === 0, PAUSE_MS);
  return !overloaded;
}

async function highestRate(room: RoomLoad): Promise<number> {
  let [carried, refused] = [0, FIRST_RATE];
  // One try after another.
  // oxlint-disable-next-line no-await-in-loop
  while (await isCarried(room, refused, TRY_MS)) [carried, refused] = [refused, refused * GROWTH];
  for (let step = 0; step < BISECTIONS; step++) {
    const rate = (carried + refused) / 2;
    // oxlint-disable-next-line no-await-in-loop
    if (await isCarried(room, rate, TRY_MS)) carried = rate;
    else refused = rate;
  }
  return carried;
}

/** The rate, and what the server used at it. A rate that fails in the longer measurement is lowered by a tenth. */
export async function carriedRate(room: RoomLoad): Promise<{ rate: number; usage: Usage }> {
  await isCarried(room, FIRST_RATE, TRY_MS);
  for (let rate = await highestRate(room); ; rate *= 0.9) {
    const from = readUsage(job.serverPids);
    const before = measure.delivered;
    measure.running = true;
    // oxlint-disable-next-line no-await-in-loop -- one after another
    const isSustained = rate < 1 || (await isCarried(room, rate, job.seconds * 1_000));
    measure.running = false;
    const usage = usageBetween(from, readUsage(job.serverPids));
    if (isSustained) return { rate, usage };
    measure.delivered = before;
    measure.latencies.clear();
    // oxlint-disable-next-line no-await-in-loop
    await sleep(TRY_MS);
  }
}
