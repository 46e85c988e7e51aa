// Limits how long a connection waits for rooms elsewhere: those that are slow or fail are followed later, by alarm.

import type { AlarmAgenda } from "../platform/alarm-agenda.ts";
import { settledWithin } from "../platform/loop-timing.ts";

/** How long a room elsewhere may keep a new connection waiting, and the pause before it is called again. */
export const LINK_WAIT_MS = 2_000;
const RETRY_MS = 2_000;

/** A handler for a failed call to a room elsewhere: the alarm repeats the call (`upkeep`). */
export const retry = (agenda: AlarmAgenda) => (): void => agenda.arm(Date.now() + RETRY_MS);

/** Waits for a connection's links to rooms elsewhere; those that are slow or failed are made later, by alarm. */
export async function waitForLinks(
  agenda: AlarmAgenda,
  links: readonly Promise<unknown>[],
): Promise<void> {
  for (const link of links) link.catch(retry(agenda));
  await settledWithin(LINK_WAIT_MS, links);
}
