// Errors of the platform that are no fault of the request: it may succeed when it is repeated.

/**
 * Whether a Durable Object was overloaded, reset or moved. Cloudflare marks such errors with the properties
 * `overloaded` and `retryable` (Durable Objects, "Error handling").
 */
export const isOverload = (error: Error): boolean =>
  ["overloaded", "retryable"].some(
    (flag) => (error as unknown as Record<string, unknown>)[flag] === true,
  );
