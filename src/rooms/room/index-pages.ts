// Reads of a hub's index: lists, page after page in the order of names, and sums.

import type { Sql } from "../../model/stored-values.ts";
import type { RoomListing, RoomsQuery, RoomsView, StoredInHub } from "../rpc/hub-metrics.ts";

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
