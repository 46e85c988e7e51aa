// `retry-after` of refusals because of load. Clients that were refused together must not all return in the same second.

import { HubError } from "./errors.ts";

/** The longest pause. */
const SPREAD_SECONDS = 5;

/** Whole seconds from 1 to 5, as the header has them. */
export const laterSeconds = (): string => String(1 + Math.floor(Math.random() * SPREAD_SECONDS));

/** A Rate Limiting binding counts over periods of 10 or 60 seconds, and does not say when the next one begins. */
export const BINDING_SECONDS = 10;

/** The error `rate_limited`, with the whole seconds before which another attempt would fail. */
export const rateLimited = (message: string, retryAfter: number): HubError =>
  Object.assign(new HubError("rate_limited", message), { retryAfter });

/** The seconds in a refusal's header, as a member for its error. */
export function retryAfterOf({ headers }: Pick<Response, "headers">): {
  readonly retryAfter?: number;
} {
  const retryAfter = Number(headers.get("retry-after"));
  return retryAfter > 0 ? { retryAfter } : {};
}
