// The pause before the next attempt. Pure.

export interface Backoff {
  /** The longest pause after the first failure, in milliseconds. It doubles with each failure. Default: 1,000. */
  readonly baseMs: number;
  /** No pause is longer, in milliseconds. Default: 30,000. */
  readonly capMs: number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/**
 * Milliseconds to wait after `failures` earlier failures in a row (0 after the first one). Full jitter: a deployment
 * drops all sockets at once, and the clients come back evenly spread over the whole pause.
 */
export const pauseMs = (failures: number, { baseMs, capMs, random }: Backoff): number =>
  random() * Math.min(capMs, baseMs * 2 ** failures);
