// Adds the compared values to refusals of tokens, for the log on a developer's machine. They never include a signature
// or a whole token.

import { decodeProtectedHeader } from "jose";
import { withFacts } from "../model/refusal-facts.ts";
import { Refusal } from "./auth-refusal.ts";

export const wrongIssuer = (expected: readonly string[], received: unknown): Refusal =>
  withFacts(new Refusal("token_wrong_issuer", { claim: "iss" }), () => ({ expected, received }));

export const wrongAudience = (
  claim: string,
  expected: readonly string[],
  received: unknown,
): Refusal =>
  withFacts(new Refusal("token_wrong_audience", { claim }), () => ({ expected, received }));

/** A time of a token and the server's time, in seconds since 1970, and the tolerated difference. */
interface Times {
  readonly claim: string;
  readonly time: number;
  readonly now: number;
  readonly leeway: number;
}

export const lifetimeRefusal = (
  reason: "token_expired" | "token_not_yet_valid",
  { claim, time, now, leeway }: Times,
): Refusal =>
  withFacts(new Refusal(reason, { claim }), () => {
    const bound = reason === "token_expired" ? "after" : "up to";
    const by = reason === "token_expired" ? "less" : "plus";
    return {
      expected: `${claim} ${bound} ${timeText(now)} ${by} ${leeway} s`,
      received: timeText(time),
    };
  });

/** A time as text; as a number if it is beyond the range of `Date`. */
const timeText = (seconds: number): string =>
  Math.abs(seconds) <= MAX_SECONDS ? new Date(seconds * 1000).toISOString() : `${seconds}`;
const MAX_SECONDS = 8.64e12;

/** The same refusal, with the accepted algorithms, and the header's members by which the token selects its key. */
export const keyRefusal = (
  refusal: Refusal,
  { token, algorithms }: { readonly token: string; readonly algorithms: readonly string[] },
): Refusal =>
  withFacts(refusal, () => ({ expected: { alg: algorithms }, received: headerOf(token) }));

function headerOf(token: string): object {
  try {
    const { alg, kid, typ } = decodeProtectedHeader(token);
    return { alg, kid, typ };
  } catch {
    return { header: "not readable" };
  }
}
