// Rows of a hub's index, one for each object that has reported, and reads of them: lists, page after page in the order
// of names, and sums.

import type { Sql } from "../../model/stored-values.ts";
import type { Occupancy } from "../rpc/activity-report.ts";
import type { RoomListing, RoomsQuery, RoomsView, StoredInHub } from "../rpc/hub-metrics.ts";

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

/** Size of a page if the query has no limit. */
const PAGE = 100;
const PAGE_AT_MOST = 1_000;

/** A page of the rooms or relays whose names begin with the prefix. */
export function pageOf(
  sql: Sql,
  { prefix = "", after = "", limit = PAGE }: RoomsQuery,
  kind: "rooms" | "relays",
): RoomsView {
  const count = Math.max(1, Math.min(Math.floor(limit) || 1, PAGE_AT_MOST));
  const condition = kind === "rooms" ? "name NOT LIKE 'relay:%'" : "name LIKE 'relay:%'";
  const query = `SELECT name AS room, connections, users, at FROM seen
     WHERE name > ? AND name >= ? AND substr(name, 1, length(?)) = ? AND ${condition}
     ORDER BY name LIMIT ?`;
  const values = [after, prefix, prefix, prefix, count + 1];
  const rows = sql.exec(query, ...values).toArray() as unknown as RoomListing[];
  return { rooms: rows.slice(0, count), more: rows.length > count };
}

/** The number of objects in the index, and sums of their storage. Only rows that begin with `waiting` are parsed. */
export function storedIn(sql: Sql, now: number): StoredInHub {
  const waits = `FILTER (WHERE counted GLOB '{"waiting"*')`;
  const query = `SELECT count(*) AS objects, total(bytes) AS bytes, total(rows) AS rows, total(state) AS state,
    total(counted ->> '$.waiting.events') ${waits} AS waiting,
    ifnull(max(0, ? - min(counted ->> '$.waiting.since') ${waits}) / 1e3, 0) AS waitingSeconds FROM seen`;
  return (sql.exec(query, now).toArray()[0] ?? {}) as unknown as StoredInHub;
}
