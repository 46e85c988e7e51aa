// The bindings of an object's worker: the namespaces of the other objects, and the destinations of events and data
// points.

import type { WebhookEnv } from "../../webhooks/webhook-config.ts";

export interface AnalyticsEnv {
  /** Optional: `[[analytics_engine_datasets]]` of wrangler.toml. */
  readonly ANALYTICS?: Pick<AnalyticsEngineDataset, "writeDataPoint">;
}

/** Objects of one class by name, at their places. Returns a fresh stub on every call. */
export interface NamedObjects {
  getByName(name: string, options?: { readonly locationHint?: DurableObjectLocationHint }): object;
}

/** The namespaces of objects: the bindings themselves, or those of `Place#namespaces`. */
export interface ObjectNamespaces {
  readonly ROOMS: NamedObjects;
  readonly RELAYS: NamedObjects;
  readonly ACCOUNTS: NamedObjects;
}

export interface ObjectEnv extends AnalyticsEnv, WebhookEnv {
  readonly ROOMS: DurableObjectNamespace;
  readonly RELAYS: DurableObjectNamespace;
  readonly ACCOUNTS: DurableObjectNamespace;
  /** `1`: a line in the log for each connection that opens, and one for each that closes. Lines are billed. */
  readonly LOG_CONNECTIONS?: string;
  /** `1`: a line for each call that is refused, or that hub code fails with a `HubError`. */
  readonly LOG_REFUSED_CALLS?: string;
}
