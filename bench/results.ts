// Measurements → results: the median over rounds of the measurements that count.

import type { Figures } from "./measurement.ts";

export interface Point {
  readonly case: string;
  readonly server: string;
  readonly round: number;
  readonly figures: Figures;
}

export interface Result {
  readonly case: string;
  readonly server: string;
  /** Measurements that count; `faulty` ones had a gap, a duplicate or an unexpected record, and do not. */
  readonly counted: number;
  readonly faulty: number;
  /** Measurements among those counted during which other processes used too much CPU. */
  readonly disturbed: number;
  readonly median: Figures;
}

/** Cores used by other processes beyond which a measurement counts as disturbed. */
const FOREIGN_CORES = 0.25;

export const isFaulty = ({ gaps, duplicates, bad }: Figures): boolean =>
  gaps + duplicates + bad > 0;

export const isDisturbed = ({ foreignCpu }: Figures): boolean => foreignCpu > FOREIGN_CORES;

export function resultsOf(points: readonly Point[]): Result[] {
  const groups = Map.groupBy(points, (point) => `${point.case} ${point.server}`);
  return [...groups.values()].map((group) => {
    const [first] = group;
    const all = group.map(({ figures }) => figures);
    const sound = all.filter((figures) => !isFaulty(figures));
    const calm = sound.filter((figures) => !isDisturbed(figures));
    return {
      case: first!.case,
      server: first!.server,
      counted: sound.length,
      faulty: all.length - sound.length,
      disturbed: sound.length - calm.length,
      median: medianOf(calm.length > 0 ? calm : sound.length > 0 ? sound : all),
    };
  });
}

function medianOf(all: readonly Figures[]): Figures {
  const names = Object.keys(all[0] ?? {}) as (keyof Figures)[];
  // All figures are numbers.
  return Object.fromEntries(
    names.map((name) => [name, middle(all.map((figures) => figures[name] ?? Number.NaN))]),
  ) as unknown as Figures;
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 === 1
    ? sorted[Math.floor(half)]!
    : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The median; undefined where nothing was measured, or nothing counts. */
export function figuresOf(
  results: readonly Result[],
  name: string,
  server: string,
): Figures | undefined {
  const found = results.find((result) => result.case === name && result.server === server);
  return found && found.counted > 0 ? found.median : undefined;
}

/** Undelivered messages at the end, beyond which the server does not sustain the rate. */
const BACKLOG = 50;

export const isOverloaded = ({ backlog }: Figures): boolean => (backlog ?? 0) > BACKLOG;
