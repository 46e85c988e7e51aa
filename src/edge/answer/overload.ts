// Errors that are not the caller's: those of the platform, after which the request may be repeated, and unexpected ones.

import { HubError, isUnexpected, publicError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";

/** The answer to a request whose object the platform could not reach. */
export const OVERLOAD = new HubError("unavailable", "The hub's objects are overloaded or restart.");

/** The error as callers see it: `OVERLOAD`, or what `publicError` shows. An unexpected one is logged. */
export function shownError(error: unknown): HubError {
  if (isOverload(error as Error)) return OVERLOAD;
  if (isUnexpected(error)) logError("request_failed", { error });
  return publicError(error);
}

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
