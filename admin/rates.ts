// Figures of several scrapes, as charts show them. Without DOM.

import type { Figures, Scrape } from "./scrape.ts";

/** Rooms report each minute at most: over less, a rate would jump. */
const RATE_MS = 60_000;

/** Of one hub, or of all. */
export type OfHub = (hub: string) => boolean;

/** A figure at each scrape. */
export const levels = (
  scrapes: readonly Scrape[],
  figure: keyof Figures,
  isWanted: OfHub,
): number[] => scrapes.map((scrape) => sumOf(scrape, figure, isWanted));

/**
 * What a counter rose by in a second, over the minute before each scrape but the first. A hub that did not answer at
 * one of its ends is left out.
 */
export const rates = (
  scrapes: readonly Scrape[],
  figure: keyof Figures,
  isWanted: OfHub,
): number[] =>
  scrapes.slice(1).map((scrape, index) => {
    const before = scrapes.slice(0, index + 1).find(({ at }) => at >= scrape.at - RATE_MS);
    const from = before ?? scrapes[index]!;
    const isCounted: OfHub = (hub) =>
      isWanted(hub) && from.hubs.has(hub) && !from.down.has(hub) && !scrape.down.has(hub);
    const rise = sumOf(scrape, figure, isCounted) - sumOf(from, figure, isCounted);
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
