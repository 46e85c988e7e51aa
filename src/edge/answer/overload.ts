// Errors of the platform for which the request is not to blame: it may succeed when it is repeated.

/** The answer to a request that failed with such an error. */
export const OVERLOAD = {
  code: "unavailable",
  message: "The hub's objects are overloaded.",
} as const;

/**
 * Whether a Durable Object was overloaded, reset or moved. Cloudflare marks such errors with the properties
 * `overloaded` and `retryable` (Durable Objects, "Error handling"); workerd marks errors of calls that were cut off by
 * the end of the object with `durableObjectReset`.
 */
export const isOverload = (error: Error): boolean =>
  error.name !== "HubError" &&
  ["overloaded", "retryable", "durableObjectReset"].some(
    (flag) => (error as unknown as Record<string, unknown>)[flag] === true,
  );
