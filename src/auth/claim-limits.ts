// Reads the claim `limits`: what a token's own connections may do, within what the server allows.

import type { TokenLimits } from "../model/user.ts";
import { Refusal } from "./auth-refusal.ts";

const NAMES: ReadonlySet<string> = new Set<keyof TokenLimits>([
  "callsPerSecond",
  "callBurst",
  "messageBytes",
  "groupsPerConnection",
  "streamsPerConnection",
]);

/** Undefined where the token says nothing. A limit that is not understood would be none: it refuses the token. */
export function readLimits(value: unknown): TokenLimits | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse();
  const limits = Object.entries(value);
  if (!limits.every(([name, limit]) => NAMES.has(name) && isLimit(limit))) refuse();
  return Object.fromEntries(limits) as TokenLimits;
}

const isLimit = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;

function refuse(): never {
  throw new Refusal("token_claim_invalid");
}
