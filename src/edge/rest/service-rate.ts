// How often a service may ask: exactly in each isolate of this worker, and, where a Rate Limiting binding is there, in
// each of Cloudflare's locations.

import { HubError } from "../../model/errors.ts";
import { tokenBucket, type TokenBucket } from "../../rooms/platform/rates.ts";
import type { Service } from "../../auth/service.ts";

export interface RateEnv {
  /** Asked with the service's name, where it is bound. */
  readonly REST_LIMITER?: RateLimit;
  /** Requests a second of one key, in one isolate; as many as in two seconds may come at once. Default: 1,000. */
  readonly REST_PER_SECOND?: string;
}

const PER_SECOND = 1_000;
/** Of one that is forgotten the next request is the first. */
const KEYS_AT_MOST = 1_000;
/** When to ask again. */
const RETRY_SECONDS = 1;
/** A binding counts over 10 or 60 seconds. */
const BINDING_RETRY_SECONDS = 10;

export class RateLimited extends HubError {
  readonly seconds: number;

  constructor(seconds: number) {
    super("rate_limited", "This key asks too often.");
    this.seconds = seconds;
  }
}

const buckets = new Map<string, TokenBucket>();

/** Throws `rate_limited`. */
export async function checkRate({ tenant, name }: Service, env: RateEnv): Promise<void> {
  const key = JSON.stringify([tenant, name]);
  if (!bucketOf(key, env).take(Date.now())) throw new RateLimited(RETRY_SECONDS);
  const binding = await env.REST_LIMITER?.limit({ key });
  if (binding && !binding.success) throw new RateLimited(BINDING_RETRY_SECONDS);
}

function bucketOf(key: string, { REST_PER_SECOND }: RateEnv): TokenBucket {
  const known = buckets.get(key);
  if (known) return known;
  if (buckets.size >= KEYS_AT_MOST) buckets.clear();
  const perSecond = Number(REST_PER_SECOND) || PER_SECOND;
  const made = tokenBucket(perSecond, 2 * perSecond);
  buckets.set(key, made);
  return made;
}
