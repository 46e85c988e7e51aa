// Latencies in buckets of 10 µs up to a second and of 1 ms beyond: constant memory for any number of values.

const FINE = 100_000;
const COARSE = 120_000;

export class Histogram {
  readonly #buckets = new Uint32Array(FINE + COARSE);
  #count = 0;

  add(ms: number): void {
    const bucket = ms < 1_000 ? Math.max(0, ms * 100) : FINE + Math.min(ms - 1_000, COARSE - 1);
    this.#buckets[Math.trunc(bucket)]!++;
    this.#count++;
  }

  clear(): void {
    this.#buckets.fill(0);
    this.#count = 0;
  }

  /** The quantile in milliseconds; NaN without values. */
  quantile(fraction: number): number {
    let left = this.#count * fraction;
    for (const [bucket, count] of this.#buckets.entries()) {
      left -= count;
      if (count > 0 && left <= 0) return bucket < FINE ? bucket / 100 : bucket - FINE + 1_000;
    }
    return Number.NaN;
  }
}
