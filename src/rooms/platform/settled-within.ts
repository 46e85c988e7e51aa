// A wait with a bound. Its timer ends with it: an open timer keeps the object awake.

/** Done when all have settled, or after so many milliseconds. Never rejects. */
export async function settledWithin(ms: number, work: readonly Promise<unknown>[]): Promise<void> {
  if (work.length === 0) return;
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([Promise.allSettled(work), late]);
  clearTimeout(timer);
}
