// A new connection waits for rooms elsewhere, but not for ever.

/** How long a room elsewhere may keep a new connection waiting. */
export const GREETING_MS = 2_000;

export async function settledWithin(ms: number, work: readonly Promise<unknown>[]): Promise<void> {
  if (work.length === 0) return;
  const over = new AbortController();
  const late = scheduler.wait(ms, { signal: over.signal }).catch(() => {});
  await Promise.race([Promise.allSettled(work), late]);
  over.abort();
}
