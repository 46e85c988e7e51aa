// A new connection waits for rooms elsewhere, but not for ever.

import type { AlarmAgenda } from "../platform/alarm-agenda.ts";

/** How long a room elsewhere may keep a new connection waiting. */
export const GREETING_MS = 2_000;

/** How soon a room elsewhere that could not be told is told again. */
const RETRY_MS = 2_000;

export const retry = (agenda: AlarmAgenda) => (): void => agenda.arm(Date.now() + RETRY_MS);

/** Links of a connection to rooms elsewhere: they stand, or are made later. */
export async function linked(
  agenda: AlarmAgenda,
  links: readonly Promise<unknown>[],
): Promise<void> {
  for (const link of links) link.catch(retry(agenda));
  await settledWithin(GREETING_MS, links);
}

export async function settledWithin(ms: number, work: readonly Promise<unknown>[]): Promise<void> {
  if (work.length === 0) return;
  const over = new AbortController();
  const late = scheduler.wait(ms, { signal: over.signal }).catch(() => {});
  await Promise.race([Promise.allSettled(work), late]);
  over.abort();
}
