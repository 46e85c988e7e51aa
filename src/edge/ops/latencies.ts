// Histograms of `/api/metrics`, for each hub only: for each room they would add 24 series per room.

import { BEYOND, BOUNDS_MS, SUM, type DurationCounts } from "../../rooms/platform/histogram.ts";
import type { HubMetrics } from "../../rooms/rpc/hub-metrics.ts";
import type { Family, Sample } from "./prometheus.ts";

export interface HubAnswer {
  readonly hub: string;
  /** Absent: the hub did not answer. */
  readonly metrics?: HubMetrics;
}

const LATENCIES = [
  {
    name: "delivery_seconds",
    figure: "deliveries",
    help: "From a message's number in its room to the sockets of an object, once for each message and object.",
  },
  {
    name: "call_seconds",
    figure: "calls",
    help: "From the arrival of a call, its wait included, to its answer. Streams are not counted.",
  },
] as const;

/** Prometheus' buckets are cumulative, and in seconds. */
export const latenciesOf = (answers: readonly HubAnswer[]): Family[] =>
  LATENCIES.map(({ name, figure, help }) => ({
    ...{ name: `dormouse_${name}`, help, type: "histogram" as const },
    samples: answers.flatMap(({ hub, metrics }) => {
      const counts = metrics?.totals.counted[figure];
      return counts ? seriesOf(hub, counts) : [];
    }),
  }));

function seriesOf(hub: string, counts: DurationCounts): Sample[] {
  let total = 0;
  const buckets = [...BOUNDS_MS, BEYOND].map((bound): Sample => {
    total += counts[bound] ?? 0;
    const le = bound === BEYOND ? "+Inf" : `${bound / 1000}`;
    return { suffix: "_bucket", labels: { hub, le }, value: total };
  });
  return [
    ...buckets,
    { suffix: "_sum", labels: { hub }, value: (counts[SUM] ?? 0) / 1000 },
    { suffix: "_count", labels: { hub }, value: total },
  ];
}
