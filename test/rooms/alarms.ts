// The alarms of an object, rung when they are due: the clock is the test's.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";

const HOUR_MS = 3_600_000;

/** When the object's alarm is set for, milliseconds since 1970. */
export const alarmOf = (object: DurableObjectStub): Promise<number | null> =>
  runInDurableObject(object, (_, { storage }) => storage.getAlarm());

/** Rings the alarms that are due before this time, one after another, and gives how many there were. */
export async function ringBefore(object: DurableObjectStub, end: number): Promise<number> {
  for (let count = 0; ; count++) {
    // oxlint-disable no-await-in-loop -- one alarm after another
    const at = await alarmOf(object);
    if (at === null || at >= end) return count;
    vi.setSystemTime(Math.max(at, Date.now()));
    await runDurableObjectAlarm(object);
    // oxlint-enable no-await-in-loop
  }
}

/** How many alarms ring in the third hour: in the first two, clients are reported, and the history of joins expires. */
export async function alarmsOfThirdHour(object: DurableObjectStub): Promise<number> {
  const start = Date.now();
  await ringBefore(object, start + 2 * HOUR_MS);
  return ringBefore(object, start + 3 * HOUR_MS);
}
