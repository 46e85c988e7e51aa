// A wait with a bound. Its timer ends with it: an open timer keeps the object awake.

/** Done when all have settled, or after so many milliseconds. Never rejects. */
export async function settledWithin(ms: number, work: readonly Promise<unknown>[]): Promise<void> {
  if (work.length === 0) return;
  const timeout = new AbortController();
  const late = scheduler.wait(ms, { signal: timeout.signal }).catch(() => {});
  await Promise.race([Promise.allSettled(work), late]);
  timeout.abort();
}
