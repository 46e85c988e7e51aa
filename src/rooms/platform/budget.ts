// A budget of messages or bytes which refills with time, for the path of every message: whole numbers, no allocation,
// and the clock is read only once the burst is spent. Token buckets (rates.ts) are exact and read it each time.

export class Budget {
  readonly #perSecond: number;
  readonly #burst: number;
  /**
   * The amount that may be spent without reading the clock. Where it is enough, the path of every message takes from it
   * directly; `spend` otherwise.
   */
  left: number;
  /** Milliseconds since 1970. */
  #filledAt: number;
  /** When it refused last, milliseconds since 1970. */
  refusedAt = -Infinity;

  constructor(perSecond: number, burst: number, now = Date.now()) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.left = burst;
    this.#filledAt = now;
  }

  /**
   * Spends `cost`; false where the budget is exceeded. It refills late, when the burst is spent, so that after a pause
   * twice the burst may pass at once.
   */
  spend(cost: number, now?: number): boolean {
    this.left -= cost;
    if (this.left >= 0) return true;
    const at = now ?? Date.now();
    if (this.#refill(at)) return true;
    // A refused amount is not spent: the next one may be smaller.
    this.left += cost;
    this.refusedAt = at;
    return false;
  }

  /** Whether nothing is spent that time has not paid for. */
  isFull(now: number): boolean {
    return this.left + ((now - this.#filledAt) * this.#perSecond) / 1000 >= this.#burst;
  }

  /** Counts what was spent already, be it beyond the budget: `spend` is refused until time has paid for it. */
  charge(cost: number): void {
    this.left -= cost;
  }

  #refill(now: number): boolean {
    const refilled = Math.floor(((now - this.#filledAt) * this.#perSecond) / 1000);
    // A clock that is set back takes nothing away. Time that refills nothing yet goes on to count.
    if (refilled > 0) this.left = Math.min(this.#burst, this.left + refilled);
    if (refilled !== 0) this.#filledAt = now;
    return this.left >= 0;
  }
}
