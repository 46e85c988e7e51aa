// Rows of a hub's index, one for each object that has reported.

import type { Occupancy } from "../rpc/activity-report.ts";

/**
 * `total` is null if the counters of the object go into `other`. `weight`: activity between two reports, smoothed.
 * `bytes`, `rows` and `state` are null until an object that has them reports. `counted` begins with `waiting` if the
 * report has it.
 */
export const TABLE = `CREATE TABLE IF NOT EXISTS seen (name TEXT PRIMARY KEY, at INTEGER, sockets INTEGER,
  connections INTEGER, users INTEGER, weight REAL, wake TEXT, counted TEXT, total TEXT,
  bytes INTEGER, rows INTEGER, state INTEGER) WITHOUT ROWID`;

/** The columns after `name`, in the order of the table. */
export const COLUMNS = [
  ...(["at", "sockets", "connections", "users", "weight", "wake"] as const),
  ...(["counted", "total", "bytes", "rows", "state"] as const),
];
export const INSERT = `INSERT OR REPLACE INTO seen VALUES (?${", ?".repeat(COLUMNS.length)})`;

export interface Row
  extends Occupancy, Readonly<Record<"bytes" | "rows" | "state", number | null>> {
  readonly at: number;
  readonly weight: number;
  readonly wake: string;
  readonly counted: string;
  readonly total: string | null;
}
