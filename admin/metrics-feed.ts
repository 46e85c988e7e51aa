// The figures of the last minutes: `/api/metrics`, read while the page is looked at. Without DOM but for that.

import type { Api } from "./api.ts";
import { scrapeOf, withLastKnown, type Scrape } from "./scrape.ts";
import { every } from "./every.ts";

const EVERY_MS = 10_000;
/** A quarter of an hour. */
const SCRAPES_AT_MOST = 90;

export interface MetricsFeed {
  /** Oldest first. */
  readonly scrapes: readonly Scrape[];
  /** The first scrape since the page was opened. */
  readonly first: Scrape | undefined;
  /** Runs `show` with each scrape, and at once where there is one, until the signal. */
  follow(signal: AbortSignal, show: () => void): void;
}

interface FeedOptions {
  readonly api: Api;
  readonly signal: AbortSignal;
  failed(error: unknown): void;
}

export function metricsFeed({ api, signal, failed }: FeedOptions): MetricsFeed {
  const listeners = new Set<() => void>();
  let scrapes: readonly Scrape[] = [];
  let first: Scrape | undefined;
  const read = async (): Promise<void> => {
    const text = await api.text({ method: "GET", path: "metrics" });
    const [now, before] = [scrapeOf(text, Date.now()), scrapes.at(-1)];
    const scrape = before ? withLastKnown(now, before) : now;
    scrapes = [...scrapes, scrape].slice(-SCRAPES_AT_MOST);
    first ??= scrape;
    for (const show of listeners) show();
  };
  every(EVERY_MS, signal, () => read().catch(failed));
  return {
    get scrapes() {
      return scrapes;
    },
    get first() {
      return first;
    },
    follow(until, show) {
      listeners.add(show);
      until.addEventListener("abort", () => listeners.delete(show));
      if (scrapes.length > 0) show();
    },
  };
}
