// The platform's refusals, as far as they are no fault of the request.

/** Its own words for an object that is reset, moved or has too much to do. */
export const isOverload = (error: Error): boolean =>
  ["overloaded", "retryable"].some(
    (flag) => (error as unknown as Record<string, unknown>)[flag] === true,
  );
