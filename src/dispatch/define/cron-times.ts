// When a schedule is due: so many seconds from the time before, or by five fields of cron, in UTC.

import { Cron } from "croner";
import { HubError } from "../../model/errors.ts";

/** The shortest period, in seconds: each run is an alarm. */
const SHORTEST_SECONDS = 1;

/**
 * The first time after `now`. A period counts from the time that was planned, so that a late alarm shifts nothing.
 * Throws `invalid_arguments` for what is neither a period nor cron, and for cron without a next time.
 */
export function nextTime(every: number | string, planned: number, now: number): number {
  if (typeof every === "string") return nextOfCron(every, Math.max(planned, now));
  if (!(every >= SHORTEST_SECONDS) || !Number.isFinite(every))
    throw invalid(`A period has ${SHORTEST_SECONDS} second or more.`);
  const period = every * 1000;
  return planned + Math.max(1, Math.floor((now - planned) / period) + 1) * period;
}

function nextOfCron(pattern: string, after: number): number {
  let next: Date | null;
  try {
    next = new Cron(pattern, { timezone: "UTC", mode: "5-part" }).nextRun(new Date(after));
  } catch (error) {
    throw invalid(`"${pattern}" is not cron: ${error instanceof Error ? error.message : ""}`);
  }
  if (!next) throw invalid(`"${pattern}" has no next time.`);
  return next.getTime();
}

const invalid = (message: string) => new HubError("invalid_arguments", message);
