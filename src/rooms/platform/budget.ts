// A budget of messages or bytes that refills with time, for the path of every message: whole numbers, no allocation,
// and the clock is read only when the burst is spent. Token buckets (rates.ts) are exact and read it each time.

export class Budget {
  #perSecond: number;
  #burst: number;
  /**
   * The amount that may be spent without reading the clock. If it is enough, callers subtract from it directly;
   * otherwise they call `spend`.
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
   * Spends `cost`; false if the budget is exceeded. It refills late, when the burst is spent, so that after a pause
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

  /** Whether the budget is full, counting the refill until `now`. */
  isFull(now: number): boolean {
    return this.left + ((now - this.#filledAt) * this.#perSecond) / 1000 >= this.#burst;
  }

  /** Subtracts an amount that was spent already, also beyond the budget: `spend` then fails until it has refilled. */
  charge(cost: number): void {
    this.left -= cost;
  }

  /** Changes rate and size from now on. Keeps what is left, up to the new size, so that a change is no refill. */
  limit(perSecond: number, burst: number, now = Date.now()): void {
    this.#refill(now);
    this.left = Math.min(this.left, burst);
    [this.#perSecond, this.#burst] = [perSecond, burst];
  }

  #refill(now: number): boolean {
    const refilled = Math.floor(((now - this.#filledAt) * this.#perSecond) / 1000);
    // A clock that is set back subtracts nothing. Time that is too short for a refill counts for the next one.
    if (refilled > 0) this.left = Math.min(this.#burst, this.left + refilled);
    if (refilled !== 0) this.#filledAt = now;
    return this.left >= 0;
  }
}
