// The outcome of a request with events, by the receiver's answer.

export interface Failure {
  readonly why: string;
  /** Of an answer. */
  readonly status?: number;
  /** Its `Retry-After`. */
  readonly pauseMs?: number | undefined;
}

/** Undefined: the receiver acknowledged the events. */
export type Outcome = Failure | undefined;

/** Bounds of `Retry-After`; no pause is longer. */
export const RETRY_AFTER_MS = { least: 1_000, most: 900_000 };

/** Statuses that refuse the content of a request; all others are of the configuration, or an outage. */
export const refusesContent = ({ status = 0 }: Failure): boolean =>
  [400, 413, 422].includes(status);

/** Any 2xx acknowledges. */
export function outcomeOf(response: Response, now: number): Outcome {
  const { ok, status } = response;
  if (ok) return undefined;
  return { why: `the receiver answered ${status}`, status, pauseMs: retryAfter(response, now) };
}

/**
 * The pause of `Retry-After`, given in seconds or as a date, within bounds. Undefined where it is absent or unreadable.
 */
function retryAfter({ headers }: Response, now: number): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (!text) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  if (Number.isNaN(ms)) return undefined;
  return Math.min(Math.max(ms, RETRY_AFTER_MS.least), RETRY_AFTER_MS.most);
}
