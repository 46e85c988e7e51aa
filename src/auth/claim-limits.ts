// Reads the claim `limits`: lower limits for the connections of one token.

import { isJsonObject } from "../protocols/json.ts";
import type { TokenLimits } from "../model/user.ts";
import { refuseClaim } from "./auth-refusal.ts";

const NAMES: ReadonlySet<string> = new Set<keyof TokenLimits>([
  "callsPerSecond",
  "callBurst",
  "messageBytes",
  "groupsPerConnection",
  "streamsPerConnection",
]);

/**
 * The token's limits. Throws `token_claim_invalid` for an unknown name or a value that is not a positive integer,
 * because to ignore a limit would mean to lift it.
 */
export function readLimits(value: unknown): TokenLimits {
  if (!isJsonObject(value)) return refuseClaim("limits");
  const limits = Object.entries(value);
  if (!limits.every(([name, limit]) => NAMES.has(name) && isLimit(limit))) refuseClaim("limits");
  return Object.fromEntries(limits) as TokenLimits;
}

const isLimit = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
