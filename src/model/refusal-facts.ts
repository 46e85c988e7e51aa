// The values that a refusal compared, only for the log on a developer's machine. Kept outside of the error object, so
// that no answer, no RPC and no other log contains them.

export interface RefusalFacts {
  readonly expected: unknown;
  /** Never a token or a secret: names, ids, times. */
  readonly received: unknown;
}

const FACTS = new WeakMap<object, () => RefusalFacts | undefined>();

/** Returns the same error or answer, with facts attached. `facts` is called only if they are logged. */
export function withFacts<E extends object>(error: E, facts: () => RefusalFacts | undefined): E {
  FACTS.set(error, facts);
  return error;
}

/** The facts of an error that was thrown in this isolate, or of the answer to it. */
export const factsOf = (error: unknown): RefusalFacts | undefined =>
  typeof error === "object" && error !== null ? FACTS.get(error)?.() : undefined;
