// The times of a schedule: by a period in seconds, or by five fields of cron, in UTC.

import { Cron } from "croner";

/** The shortest period, in seconds: each run is an alarm. */
const SHORTEST_SECONDS = 1;

/**
 * The first time after `now`. A period counts from the planned time, so that a late alarm does not shift later ones.
 * Throws a `TypeError` for a value that is neither a period nor cron, and for cron without a next time: an error of the
 * hub's author. Infinite for an endless period.
 */
export function nextTime(every: number | string, planned: number, now: number): number {
  if (typeof every === "string") return nextOfCron(every, Math.max(planned, now));
  const period = every * 1000;
  if (!(every >= SHORTEST_SECONDS))
    throw new TypeError(`A period has ${SHORTEST_SECONDS} second at least.`);
  return planned + Math.max(1, Math.floor((now - planned) / period) + 1) * period;
}

function nextOfCron(pattern: string, after: number): number {
  let next: Date | null;
  try {
    next = new Cron(pattern, { timezone: "UTC", mode: "5-part" }).nextRun(new Date(after));
  } catch (cause) {
    throw new TypeError(`"${pattern}" is not cron: ${FIELDS}`, { cause });
  }
  if (!next) throw new TypeError(`"${pattern}" has no next time.`);
  return next.getTime();
}

const FIELDS = "it has five fields, minute, hour, day of the month, month, day of the week.";
