// A token bucket, which limits a rate, and a meter, which measures one. Both are in memory only and end with the
// object's sleep. That is safe: an object sleeps after ten idle seconds, in which a bucket would have filled anyway.

export interface TokenBucket {
  /** Takes one token; false if there is none. `now` in milliseconds since 1970. */
  take(now: number): boolean;
  /** Changes rate and size from now on. Keeps the tokens, up to the new size, so that a change is no refill. */
  limit(now: number, perSecond: number, burst: number): void;
}

export function tokenBucket(perSecond: number, burst: number): TokenBucket {
  let [rate, most, tokens, filledAt] = [perSecond, burst, burst, 0];
  const fill = (now: number) => {
    // A clock that is set back takes no tokens away.
    tokens = Math.min(most, tokens + (Math.max(0, now - filledAt) / 1000) * rate);
    filledAt = now;
  };
  return {
    take(now) {
      fill(now);
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    limit(now, newRate, newBurst) {
      fill(now);
      [rate, most] = [newRate, newBurst];
      tokens = Math.min(most, tokens);
    },
  };
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
    const made = tokenBucket(perSecond, burst);
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
