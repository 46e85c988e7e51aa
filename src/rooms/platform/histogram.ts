// A histogram of durations, for Prometheus.

/**
 * Upper bounds of the buckets, in milliseconds; a further bucket has longer ones. The clock is no finer than the first.
 */
export const BOUNDS_MS = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;

/** The bucket beyond the last bound, and the sum of all durations. */
export const [BEYOND, SUM] = ["inf", "sum"] as const;

/** Counts by bound (milliseconds as text), not cumulative, and `BEYOND` and `SUM`. Zeros are absent. */
export type DurationCounts = Readonly<Record<string, number>>;

export class Histogram {
  readonly #counts = new Float64Array(BOUNDS_MS.length + 1);
  #sum = 0;
  /** Number of zero durations, which are most, because the clock does not advance. Callers increment it directly. */
  instant = 0;

  /** Counts a duration. A negative one, measured with two clocks, counts as zero. */
  observe(ms: number): void {
    let bucket = 0;
    while (ms > BOUNDS_MS[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sum += Math.max(0, ms);
  }

  get counts(): DurationCounts {
    const counts: Record<string, number> = {};
    for (const [at, count] of this.#counts.entries()) {
      const all = at === 0 ? count + this.instant : count;
      if (all > 0) counts[BOUNDS_MS[at] ?? BEYOND] = all;
    }
    return Object.keys(counts).length === 0 ? counts : { ...counts, [SUM]: this.#sum };
  }
}
