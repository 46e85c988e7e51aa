// Durations by their size, as Prometheus counts them.

/** Milliseconds up to which each bucket counts; one more has all beyond. The finest is what the clock can tell. */
export const BOUNDS_MS = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;

/** The bucket beyond the last bound, and the sum of all durations. */
export const [BEYOND, SUM] = ["inf", "sum"] as const;

/** By bound, in milliseconds as text, each without the smaller ones; and `BEYOND`, `SUM`. Zeros are absent. */
export type DurationCounts = Readonly<Record<string, number>>;

export class Histogram {
  readonly #counts = new Float64Array(BOUNDS_MS.length + 1);
  #sum = 0;
  /** Durations of zero, as most are where the clock stands: counted by their caller, without a call. */
  instant = 0;

  /** Two clocks may differ: what seems to end before it began took no time. */
  observe(ms: number): void {
    let bucket = 0;
    while (ms > BOUNDS_MS[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sum += Math.max(0, ms);
  }

  get counts(): DurationCounts {
    const counts = [...this.#counts].map(
      (count, at) => [BOUNDS_MS[at] ?? BEYOND, at === 0 ? count + this.instant : count] as const,
    );
    const filled = counts.filter(([, count]) => count > 0);
    return filled.length === 0 ? {} : Object.fromEntries([...filled, [SUM, this.#sum]]);
  }
}
