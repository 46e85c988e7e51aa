// Rate limits of services: exact within each isolate of this worker and, if a Rate Limiting binding is configured,
// approximate for each Cloudflare location. There is no limit over all locations together.

import { BINDING_SECONDS, rateLimited } from "../../model/retry-after.ts";
import { KeyedBuckets } from "../../rooms/platform/rates.ts";
import type { Service } from "../../auth/service.ts";

export interface RateEnv {
  /** Optional binding. It is called with tenant and service name, as JSON, as the key. */
  readonly REST_LIMITER?: RateLimit;
  /** Requests a second of one service, in one isolate; bursts are twice as many. Default: 1,000. */
  readonly REST_PER_SECOND?: string;
}

const PER_SECOND = 1_000;
/** The most services whose buckets are kept. A service whose bucket was dropped begins with a full one. */
const KEYS_AT_MOST = 1_000;
const tooOften = (seconds: number) => rateLimited("This key asks too often.", seconds);

/**
 * The token buckets of one isolate, by service. A worker has many isolates, so that a service may get several times its
 * rate: the limit protects an isolate, and the binding a location.
 */
export class ServiceRates {
  readonly #buckets = new KeyedBuckets(KEYS_AT_MOST);

  /** Counts one request. The binding is called only if the isolate's own bucket admits it. Throws `rate_limited`. */
  async check({ tenant, name }: Service, env: RateEnv): Promise<void> {
    const key = JSON.stringify([tenant, name]);
    const perSecond = Number(env.REST_PER_SECOND) || PER_SECOND;
    // A bucket with a burst below 1 would never have a whole token.
    const bucket = this.#buckets.of(key, perSecond, Math.max(1, 2 * perSecond));
    if (!bucket.take(Date.now())) throw tooOften(Math.ceil(1 / perSecond));
    const binding = await env.REST_LIMITER?.limit({ key });
    if (binding && !binding.success) throw tooOften(BINDING_SECONDS);
  }
}
