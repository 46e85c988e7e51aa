// Latencies in buckets of 10 µs up to a second and of 1 ms beyond, so that millions of them cost nothing to keep.

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

  /** The value below which this part of them lies, in ms; NaN where there are none. */
  quantile(part: number): number {
    let left = this.#count * part;
    for (const [bucket, count] of this.#buckets.entries()) {
      left -= count;
      if (count > 0 && left <= 0) return bucket < FINE ? bucket / 100 : bucket - FINE + 1_000;
    }
    return Number.NaN;
  }
}
