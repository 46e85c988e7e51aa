// The figures of the last minutes: `/api/metrics`, read while the page is looked at. Without DOM but for that.

import type { Api } from "./api.ts";
import { scrapeOf, type Figures, type Scrape } from "./scrape.ts";
import { every } from "./every.ts";

const EVERY_MS = 10_000;
/** A quarter of an hour. */
const SCRAPES_AT_MOST = 90;
/** Rooms report each minute at most: over less, a rate would jump. */
const RATE_MS = 60_000;

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
    const scrape = scrapeOf(text, Date.now());
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

/** Of one hub, or of all. */
export type OfHub = (hub: string) => boolean;

/** A figure at each scrape. */
export const levels = (
  scrapes: readonly Scrape[],
  figure: keyof Figures,
  isWanted: OfHub,
): number[] => scrapes.map((scrape) => sumOf(scrape, figure, isWanted));

/** What a counter rose by in a second, over the minute before each scrape but the first. */
export const rates = (
  scrapes: readonly Scrape[],
  figure: keyof Figures,
  isWanted: OfHub,
): number[] =>
  scrapes.slice(1).map((scrape, index) => {
    const before = scrapes.slice(0, index + 1).find(({ at }) => at >= scrape.at - RATE_MS);
    const from = before ?? scrapes[index]!;
    const rise = sumOf(scrape, figure, isWanted) - sumOf(from, figure, isWanted);
    return Math.max(0, rise / ((scrape.at - from.at) / 1000));
  });

/** Mean seconds of what was counted in the minute before each scrape; 0 where nothing was. */
export function means(
  scrapes: readonly Scrape[],
  [seconds, count]: readonly [keyof Figures, keyof Figures],
  isWanted: OfHub,
): number[] {
  const counts = rates(scrapes, count, isWanted);
  return rates(scrapes, seconds, isWanted).map((sum, at) =>
    counts[at]! > 0 ? sum / counts[at]! : 0,
  );
}

const sumOf = ({ hubs }: Scrape, figure: keyof Figures, isWanted: OfHub): number =>
  [...hubs].reduce((sum, [hub, figures]) => (isWanted(hub) ? sum + figures[figure] : sum), 0);
