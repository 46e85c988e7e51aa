// Rate limits of services: exact within each isolate of this worker and, where a Rate Limiting binding is configured,
// approximate for each Cloudflare location. There is no limit over all locations together.

import { HubError } from "../../model/errors.ts";
import { KeyedBuckets } from "../../rooms/platform/rates.ts";
import type { Service } from "../../auth/service.ts";

export interface RateEnv {
  /** Optional. Its key is tenant and service name as JSON. */
  readonly REST_LIMITER?: RateLimit;
  /** Requests a second of one service, in one isolate; bursts are twice as many. Default: 1,000. */
  readonly REST_PER_SECOND?: string;
}

const PER_SECOND = 1_000;
/** Services whose buckets are kept. A service whose bucket was dropped begins with a full one. */
const KEYS_AT_MOST = 1_000;
/** Values of `retry-after`. */
const RETRY_SECONDS = 1;
/** A Rate Limiting binding counts over periods of 10 or 60 seconds. */
const BINDING_RETRY_SECONDS = 10;

/** `rate_limited`, with the seconds after which a retry may succeed. */
export class RateLimited extends HubError {
  readonly seconds: number;

  constructor(seconds: number) {
    super("rate_limited", "This key asks too often.");
    this.seconds = seconds;
  }
}

/**
 * The token buckets of one isolate, by service. A worker has many isolates, so that a service may get several times its
 * rate: the limit protects an isolate, and the binding a location.
 */
export class ServiceRates {
  readonly #buckets = new KeyedBuckets(KEYS_AT_MOST);

  /** Counts one request. The binding is called only for what the isolate's own bucket admits. Throws `RateLimited`. */
  async check({ tenant, name }: Service, env: RateEnv): Promise<void> {
    const key = JSON.stringify([tenant, name]);
    const perSecond = Number(env.REST_PER_SECOND) || PER_SECOND;
    const bucket = this.#buckets.of(key, perSecond, 2 * perSecond);
    if (!bucket.take(Date.now())) throw new RateLimited(RETRY_SECONDS);
    const binding = await env.REST_LIMITER?.limit({ key });
    if (binding && !binding.success) throw new RateLimited(BINDING_RETRY_SECONDS);
  }
}
