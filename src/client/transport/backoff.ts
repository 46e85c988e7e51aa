// How long to wait before the next attempt. Pure.

export interface Backoff {
  /** The longest pause before the first return, milliseconds. Default: 1,000. */
  readonly baseMs: number;
  /** No pause is longer. Default: 30,000. */
  readonly capMs: number;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/** Full jitter: after a deploy drops every socket at once, clients come back spread over the whole pause. */
export const pauseMs = (failures: number, { baseMs, capMs, random }: Backoff): number =>
  random() * Math.min(capMs, baseMs * 2 ** failures);
