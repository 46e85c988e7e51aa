// Refusals of tokens with what they compared, for the log of a developer's machine. A signature and a whole token are
// never among the facts.

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

/** A time of a token, beside ours and the tolerated difference; all in seconds since 1970. */
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

/** A time that no `Date` has is shown as the number that it is. */
const timeText = (seconds: number): string =>
  Math.abs(seconds) <= MAX_SECONDS ? new Date(seconds * 1000).toISOString() : `${seconds}`;
const MAX_SECONDS = 8.64e12;

/** The same refusal, with the algorithms that are accepted and the names by which the token selects its key. */
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
