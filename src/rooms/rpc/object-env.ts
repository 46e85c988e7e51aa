// The bindings of an object's worker: the namespaces of the other objects, and the destinations of events and data
// points.

import type { WebhookEnv } from "../../webhooks/webhook-config.ts";

export interface AnalyticsEnv {
  /** Optional: `[[analytics_engine_datasets]]` of wrangler.toml. */
  readonly ANALYTICS?: Pick<AnalyticsEngineDataset, "writeDataPoint">;
}

/** Objects of one class by name, in whichever place they are. Gives a fresh stub on every call. */
export interface NamedObjects {
  getByName(name: string, options?: { readonly locationHint?: DurableObjectLocationHint }): object;
}

/** The way to objects: the bindings themselves, or `Place#namespaces`. */
export interface ObjectNamespaces {
  readonly ROOMS: NamedObjects;
  readonly RELAYS: NamedObjects;
  readonly ACCOUNTS: NamedObjects;
}

export interface ObjectEnv extends AnalyticsEnv, WebhookEnv {
  readonly ROOMS: DurableObjectNamespace;
  readonly RELAYS: DurableObjectNamespace;
  readonly ACCOUNTS: DurableObjectNamespace;
  /** `1`: one line in the log for each connection that opens, and one for each that closes. Lines cost. */
  readonly LOG_CONNECTIONS?: string;
  /** `1`: one line for each call that is refused, or that hub code fails with an error of its own. */
  readonly LOG_REFUSED_CALLS?: string;
}
