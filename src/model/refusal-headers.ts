// Headers of every refusal, in all parts of the server.

import { laterSeconds } from "./retry-after.ts";

/** Codes of failures of other servers: after them, clients pause for 5 s. */
const ELSEWHERE: ReadonlySet<string> = new Set(["keys_unavailable", "webhook_unavailable"]);

/** `retryAfter`: set if the error knows better than its code when to try again. */
export const refusalHeaders = (
  code: string,
  status: number,
  retryAfter?: number,
): Record<string, string> => ({
  // 404, 405, 410 and 501 are kept by caches unless they are told not to (RFC 9111 §4.2.2).
  "cache-control": "no-store",
  "x-dormouse-error": headerCode(code),
  ...(status === 401 && { "www-authenticate": challengeFor(code) }),
  ...((status === 429 || status === 503) && {
    "retry-after": pauseFor(code, status, retryAfter),
  }),
});

/** A code as a header's value. Codes of hub code may be any text, but `Headers` throws for control characters. */
export const headerCode = (code: string): string => code.replaceAll(/[^ -~]/g, "?").slice(0, 128);

/** Every 401 needs a challenge (RFC 9110 §15.5.2). If the token is missing it names no error (RFC 6750 §3.1). */
export const challengeFor = (code: string): string =>
  code === "token_missing" ? "Bearer" : 'Bearer error="invalid_token"';

/** The value of `retry-after`, for a code of 429 or 503. */
export function pauseFor(code: string, status: number, retryAfter = 0): string {
  // Hub code may have set any number; the header has whole seconds.
  if (retryAfter > 0 && retryAfter < Infinity) return `${Math.ceil(retryAfter)}`;
  if (ELSEWHERE.has(code)) return "5";
  return status === 503 ? laterSeconds() : "1";
}
