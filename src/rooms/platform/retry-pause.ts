// Pauses between attempts to reach something outside of the object.

/** After the first failure, the second, and so on; the last one is repeated. */
const PAUSES_MS = [1_000, 2_000, 5_000, 15_000, 60_000] as const;

/** Milliseconds until the next attempt, after a failure that had so many failures before it. */
export const retryPause = (failuresBefore: number): number =>
  PAUSES_MS[Math.min(failuresBefore, PAUSES_MS.length - 1)]!;
