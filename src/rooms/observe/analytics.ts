// Data points for Analytics Engine, for queries over many days. Written only where the worker binds a dataset.
//
//   indexes: hub · blobs: event, tenant, hub, room, code
//   `report`  doubles: sockets, connections, users, the increase of each counter (`COUNTER_NAMES`), all refusals
//   `refused` doubles: HTTP status

import { logWarning } from "../../model/logger.ts";
import { COUNTER_NAMES } from "./counters.ts";
import type { CounterSnapshot, Report } from "../rpc/activity-report.ts";
import type { AnalyticsEnv } from "../rpc/object-env.ts";

/** Where a data point comes from. */
interface Origin {
  readonly tenant: string;
  readonly hub: string;
  readonly room: string;
}

/** A report that the hub's index has taken, and the increase of its counters since the report before. */
interface WrittenReport {
  readonly report: Report;
  readonly increase: CounterSnapshot;
}

export function writeReport(
  env: AnalyticsEnv,
  origin: Origin,
  { report, increase }: WrittenReport,
): void {
  const { sockets, connections, users } = report;
  const counts = COUNTER_NAMES.map((name) => increase[name]);
  const refusals = Object.values(increase.refusals).reduce((all, count) => all + count, 0);
  const doubles = [sockets, connections, users, ...counts, refusals];
  write(env, { ...origin, event: "report", doubles });
}

/** A request refused by the endpoint, before any object was called. */
interface Refusal {
  readonly hub: string;
  /** HTTP status. */
  readonly status: number;
  readonly code: string;
}

/** Without a tenant and a room: their token was missing or not verified. */
export function writeRefusal(env: AnalyticsEnv, { hub, status, code }: Refusal): void {
  write(env, { event: "refused", tenant: "", hub, room: "", code, doubles: [status] });
}

/** An index has 96 bytes at most; a UTF-16 unit has three at most. */
const INDEX_CHARS = 32;
const BLOB_CHARS = 512;

interface DataPoint extends Origin {
  readonly event: string;
  readonly code?: string;
  readonly doubles: number[];
}

function write({ ANALYTICS }: AnalyticsEnv, point: DataPoint): void {
  const { event, tenant, hub, room, code = "", doubles } = point;
  try {
    const blobs = [event, tenant, hub, room, code].map((blob) => blob.slice(0, BLOB_CHARS));
    ANALYTICS?.writeDataPoint({ indexes: [hub.slice(0, INDEX_CHARS)], blobs, doubles });
  } catch (error) {
    // Statistics must not fail the request that they count.
    logWarning("analytics_failed", { error });
  }
}
