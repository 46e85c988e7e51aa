// How many calls a connection may make: a token bucket. Asleep it is forgotten, which is sound while an object
// sleeps only after ten quiet seconds, in which the bucket would have filled anyway.

export interface TokenBucket {
  /** Takes one token; false where there is none. */
  take(now: number): boolean;
  /** Fills at another rate from now on, and holds no more than this. What it has stays: a change is no refill. */
  limit(now: number, perSecond: number, burst: number): void;
}

export function tokenBucket(perSecond: number, burst: number): TokenBucket {
  let [rate, most, tokens, filledAt] = [perSecond, burst, burst, 0];
  const fill = (now: number) => {
    // A clock that is set back takes nothing away.
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
