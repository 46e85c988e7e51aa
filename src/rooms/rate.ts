// How many calls a connection may make: a token bucket. Asleep it is forgotten, which is sound while an object
// sleeps only after ten quiet seconds, in which the bucket would have filled anyway.

export interface Bucket {
  /** Takes one token; false where there is none. */
  take(now: number): boolean;
}

export function bucket(perSecond: number, burst: number): Bucket {
  let tokens = burst;
  let filledAt = 0;
  return {
    take(now) {
      // A clock that is set back takes nothing away.
      tokens = Math.min(burst, tokens + (Math.max(0, now - filledAt) / 1000) * perSecond);
      filledAt = now;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
