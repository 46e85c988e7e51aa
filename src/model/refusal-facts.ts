// The values that a refusal compared: for the log of a developer's machine, and for nothing else. Kept beside the
// error, so that no answer, no RPC and no other log carries it.

export interface RefusalFacts {
  readonly expected: unknown;
  /** Never a token or a secret: names, ids, times. */
  readonly received: unknown;
}

const FACTS = new WeakMap<object, () => RefusalFacts | undefined>();

/** The same error, or the same answer to it. `facts` is called only where they are logged. */
export function withFacts<E extends object>(error: E, facts: () => RefusalFacts | undefined): E {
  FACTS.set(error, facts);
  return error;
}

/** The facts of an error that was thrown in this worker, or of the answer to it. */
export const factsOf = (error: unknown): RefusalFacts | undefined =>
  typeof error === "object" && error !== null ? FACTS.get(error)?.() : undefined;
