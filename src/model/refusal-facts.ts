// What a refusal compared: for the log of a developer's machine, and for nothing else. Kept beside the error, so that no
// answer, no RPC and no other log carries it.

export interface RefusalFacts {
  readonly expected: unknown;
  /** Never a token or a secret: names, ids, times. */
  readonly received: unknown;
}

const FACTS = new WeakMap<Error, () => RefusalFacts>();

/** The same error. `facts` is called only where they are logged. */
export function withFacts<E extends Error>(error: E, facts: () => RefusalFacts): E {
  FACTS.set(error, facts);
  return error;
}

/** The facts of an error that was thrown in this worker. */
export const factsOf = (error: unknown): RefusalFacts | undefined =>
  error instanceof Error ? FACTS.get(error)?.() : undefined;
