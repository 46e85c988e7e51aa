// The pause before the next attempt. Pure.

import type { HubError } from "../../model/errors.ts";

/** Pauses between attempts to connect: each is random, up to a limit that doubles. */
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
 * drops all sockets at once, and the clients return evenly spread over the whole pause. The seconds of the server's
 * `retry-after`, if any, are added.
 */
export const pauseMs = (
  failures: number,
  { baseMs, capMs, random }: Backoff,
  { retryAfter = 0 }: Pick<HubError, "retryAfter"> = {},
): number =>
  Math.min(retryAfter > 0 ? retryAfter : 0, RETRY_AFTER_AT_MOST) * 1000 +
  random() * Math.min(capMs, baseMs * 2 ** failures);

/**
 * In seconds. A proxy may send any `retry-after`, negative or no number, but an application must not wait longer than
 * this, and not shorter than without it.
 */
const RETRY_AFTER_AT_MOST = 600;
