// The payload of a signed token and its registered claims (RFC 7519 §4.1), read as .NET's JsonWebTokenHandler reads
// them (docs/design/rest-and-tokens.md#to10).

import { base64url, type JWTPayload } from "jose";
import { isJsonObject } from "../protocols/json.ts";
import { withFacts } from "../model/refusal-facts.ts";
import { Refusal } from "./auth-refusal.ts";

/** Tolerated difference between the issuer's clock and ours, for `exp`, `nbf` and `iat`. */
export const LEEWAY_SECONDS = 60;

/** A payload as it was written, before its signature is verified. */
export type WrittenClaims = Readonly<Record<string, unknown>>;

/** Throws `token_malformed` for a payload that is no JSON object. */
export function payloadOf(token: string): WrittenClaims {
  let payload: unknown;
  try {
    payload = JSON.parse(new TextDecoder().decode(base64url.decode(token.split(".", 2)[1] ?? "")));
  } catch {
    // Not quoted: the payload may have personal data.
    throw new Refusal("token_malformed");
  }
  if (!isJsonObject(payload)) throw new Refusal("token_malformed");
  return payload;
}

/**
 * The claims as the server uses them: those that are null are left out (but for times), and times are numbers. Throws a `Refusal` for a
 * token that is not valid now; `exp` is required.
 */
export function registeredClaims(written: WrittenClaims, nowMs: number): JWTPayload {
  const claims = Object.fromEntries(Object.entries(written).filter(([, value]) => value !== null));
  const [exp, nbf, iat] = [timeOf(written, "exp"), timeOf(written, "nbf"), timeOf(written, "iat")];
  const now = Math.floor(nowMs / 1000);
  if (exp === undefined || !isText(claims["jti"] ?? ""))
    throw invalid(exp === undefined ? "exp" : "jti");
  for (const [claim, time = -Infinity] of [
    ["nbf", nbf],
    ["iat", iat],
  ] as const)
    if (time > now + LEEWAY_SECONDS)
      throw withFacts(new Refusal("token_not_yet_valid", { claim }), () => ({
        expected: `${claim} up to ${timeText(now)}, and ${LEEWAY_SECONDS} s`,
        received: timeText(time),
      }));
  if (exp <= now - LEEWAY_SECONDS)
    throw withFacts(new Refusal("token_expired", { claim: "exp" }), () => ({
      expected: `exp after ${timeText(now)}, less ${LEEWAY_SECONDS} s`,
      received: timeText(exp),
    }));
  return {
    ...claims,
    exp,
    ...(nbf !== undefined && { nbf }),
    ...(iat !== undefined && { iat }),
  };
}

/** A time that no `Date` has is shown as the number that it is. */
const timeText = (seconds: number): string =>
  Math.abs(seconds) <= MAX_SECONDS ? new Date(seconds * 1000).toISOString() : `${seconds}`;
const MAX_SECONDS = 8.64e12;

/** The numbers that .NET reads from text, but for digits in groups. */
const NUMBER = /^\s*[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?\s*$/i;

/** Seconds since 1970; undefined for an absent claim. Null is refused, as in .NET. Numeric text counts: .NET's tutorials write `iat` so. */
function timeOf(claims: WrittenClaims, claim: string): number | undefined {
  const value = claims[claim];
  if (value === undefined || typeof value === "number") return value;
  if (isText(value) && NUMBER.test(value)) return Number(value);
  throw invalid(claim);
}

/** Throws `token_wrong_audience` unless the claim has one of the audiences; a slash at the end does not count. */
export function checkAudience(
  given: unknown,
  { audiences, audienceClaim }: { audiences: readonly string[]; audienceClaim: string },
): void {
  const texts = [given].flat().filter(isText);
  const isWanted = (text: string) => audiences.some((wanted) => areSame(text, wanted));
  if (!texts.some(isWanted))
    throw withFacts(new Refusal("token_wrong_audience", { claim: audienceClaim }), () => ({
      expected: audiences,
      received: given,
    }));
}

/** As .NET compares by default: one may have one slash more than the other. */
const areSame = (given: string, wanted: string): boolean =>
  given === wanted || given === `${wanted}/` || `${given}/` === wanted;

const isText = (value: unknown): value is string => typeof value === "string";

const invalid = (claim: string): Refusal => new Refusal("token_claim_invalid", { claim });
