// What views get, and what they are.

import type { Api } from "./api.ts";
import type { MetricsFeed } from "./metrics-feed.ts";

export interface Admin {
  readonly api: Api;
  readonly metrics: MetricsFeed;
  /** Ends with the view. */
  readonly signal: AbortSignal;
}

/** The panels of a view, in their order. */
export type View = readonly HTMLElement[];
