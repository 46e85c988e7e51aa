// Errors of the platform that are no fault of the request: it may succeed when it is repeated.

/** The answer to a request that met such an error. */
export const OVERLOAD = {
  code: "unavailable",
  message: "The hub's objects are overloaded.",
} as const;

/**
 * Whether a Durable Object was overloaded, reset or moved. Cloudflare marks such errors with the properties
 * `overloaded` and `retryable` (Durable Objects, "Error handling"), and those of calls that an object's end met with
 * `durableObjectReset`, as workerd does.
 */
export const isOverload = (error: Error): boolean =>
  error.name !== "HubError" &&
  ["overloaded", "retryable", "durableObjectReset"].some(
    (flag) => (error as unknown as Record<string, unknown>)[flag] === true,
  );
