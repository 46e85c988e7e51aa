// Data points for Analytics Engine, where it is bound: a few for people who want to ask questions of many days. Where it
// is not, nothing is written.

import { logWarning } from "../../model/logger.ts";
import { FIGURES } from "./counters.ts";
import type { Counted, Report } from "../rpc/activity-report.ts";
import type { AnalyticsEnv } from "../rpc/object-env.ts";

/** Where something was seen. Blobs: what, tenant, hub, room, code. */
export interface Seen {
  readonly tenant: string;
  readonly hub: string;
  readonly room: string;
}

/** Doubles: sockets, connections, users; then what came since the report before: `FIGURES`, and all refusals. */
export function writeReport(env: AnalyticsEnv, seen: Seen, report: Report, news: Counted): void {
  const { sockets, connections, users } = report;
  const figures = FIGURES.map((name) => news[name]);
  const refusals = Object.values(news.refusals).reduce((all, count) => all + count, 0);
  write(env, "report", seen, { doubles: [sockets, connections, users, ...figures, refusals] });
}

/** Turned away before any object was asked; the tenant is not known, or not believed. */
export const writeRefusal = (env: AnalyticsEnv, hub: string, status: number, code: string): void =>
  write(env, "refused", { tenant: "", hub, room: "" }, { code, doubles: [status] });

/** An index has 96 bytes, and a UTF-16 unit at most three. */
const INDEX_CHARS = 32;
const BLOB_CHARS = 512;

interface Values {
  readonly code?: string;
  readonly doubles: number[];
}

function write(
  { ANALYTICS }: AnalyticsEnv,
  what: string,
  { tenant, hub, room }: Seen,
  { code = "", doubles }: Values,
): void {
  try {
    const blobs = [what, tenant, hub, room, code].map((blob) => blob.slice(0, BLOB_CHARS));
    ANALYTICS?.writeDataPoint({ indexes: [hub.slice(0, INDEX_CHARS)], blobs, doubles });
  } catch (error) {
    // Whoever is served is served, whether it is counted or not.
    logWarning("analytics_failed", { error });
  }
}
