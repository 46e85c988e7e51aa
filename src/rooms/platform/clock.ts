// The clock of hub code's surroundings: rates, deadlines and pauses. Tests of hubs have one that they move themselves.

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs once, so many milliseconds from now. The function that is returned cancels it. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after so many milliseconds; 0: when the event loop has turned. */
export const pause = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.after(ms, resolve));
