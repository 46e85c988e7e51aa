// A token bucket, which limits a rate, and a meter, which measures one. Both are in memory only and end with the
// object's sleep. That is safe: an object sleeps after ten idle seconds, in which a bucket would have filled anyway.

export class TokenBucket {
  #perSecond: number;
  #burst: number;
  #tokens: number;
  /** Milliseconds since 1970, like every `now` here. */
  #filledAt = 0;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = this.#tokens = burst;
  }

  /** The tokens of a second. */
  get perSecond(): number {
    return this.#perSecond;
  }

  /** Takes one token; false if there is none. */
  take(now: number): boolean {
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  has(now: number): boolean {
    this.#fill(now);
    return this.#tokens >= 1;
  }

  /** Takes tokens that are used already, also more than there are. */
  spend(tokens: number): void {
    this.#tokens -= tokens;
  }

  /** Leaves so many tokens at most; with a negative number it refills for longer. */
  lower(now: number, most: number): void {
    this.#fill(now);
    this.#tokens = Math.min(this.#tokens, most);
  }

  /** Changes rate and size from now on. Keeps the tokens, up to the new size, so that a change is no refill. */
  limit(now: number, perSecond: number, burst: number): void {
    this.lower(now, burst);
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** A clock that is set back takes no tokens away. */
  #fill(now: number): void {
    const passedMs = Math.max(0, now - this.#filledAt);
    this.#tokens = Math.min(this.#burst, this.#tokens + (passedMs / 1000) * this.#perSecond);
    this.#filledAt = now;
  }
}

/** Buckets of one isolate by key. A key whose bucket was dropped gets a full one. */
export class KeyedBuckets {
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #most: number;

  /** Beyond `most` keys all are forgotten. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The bucket of a key; rate and burst are used if there is none yet. */
  of(key: string, perSecond: number, burst: number): TokenBucket {
    const known = this.#buckets.get(key);
    if (known) return known;
    if (this.#buckets.size >= this.#most) this.#buckets.clear();
    const made = new TokenBucket(perSecond, burst);
    this.#buckets.set(key, made);
    return made;
  }
}

const SECONDS = 60;

/** Messages a second, averaged over the last minute. */
export class MessageRate {
  /** Messages by second, in a ring. */
  readonly #counts = new Uint32Array(SECONDS);
  #second = 0;

  add(messages: number, now: number): void {
    this.#advance(Math.floor(now / 1000));
    this.#counts[this.#second % SECONDS]! += messages;
  }

  perSecond(now: number): number {
    this.#advance(Math.floor(now / 1000));
    let messages = 0;
    for (const count of this.#counts) messages += count;
    return messages / SECONDS;
  }

  /** Clears the slots of seconds without messages. If the clock is set back, the newest second continues. */
  #advance(second: number): void {
    if (second <= this.#second) return;
    const secondsPassed = Math.min(second - this.#second, SECONDS);
    for (let i = 0; i < secondsPassed; i++) this.#counts[(second - i) % SECONDS] = 0;
    this.#second = second;
  }
}
