// Chooses the rooms of a hub's index that have metrics of their own: those whose column `total` is not null.

import { ZERO_COUNTERS } from "../observe/counters.ts";
import type { PartStorage } from "../../model/stored-values.ts";
import type { CountedRow } from "./hub-totals.ts";

/**
 * An object without a report for so long is inactive. Objects that sleep between messages report more often.
 */
const STALE_MS = 90 * 60_000;

const WEIGHTS = "SELECT name, iif(at < ?, 0, weight) AS weight FROM seen WHERE";

interface Naming {
  /** Rooms that have metrics of their own. */
  readonly named: number;
  readonly most: number;
  readonly now: number;
}

/**
 * A room keeps its metrics unless another has more than twice its weight, because a series that comes and goes shows
 * little. A new series begins at zero, and earlier counts of the room stay in `other`, so that no series falls. Returns
 * the rows that lost their metrics, as they were.
 */
export function assignNames(sql: PartStorage["sql"], { named, most, now }: Naming): CountedRow[] {
  const staleBefore = now - STALE_MS;
  const free = most - named;
  const rowsOf = (condition: string) =>
    sql.exec(`${WEIGHTS} total IS ${condition}`, staleBefore).toArray();
  const lightest = rowsOf("NOT NULL ORDER BY weight");
  const heaviest = rowsOf("NULL ORDER BY weight DESC");
  const unnamed: CountedRow[] = [];
  for (const [index, { name, weight }] of heaviest.slice(0, most).entries()) {
    const light = lightest[index - free];
    if (index >= free && !(light && Number(weight) > 2 * Number(light["weight"]))) break;
    if (light) unnamed.push(unname(sql, light["name"] as string));
    setTotal(sql, name as string, JSON.stringify(ZERO_COUNTERS));
  }
  return unnamed;
}

/** Gives the row as it was. */
function unname(sql: PartStorage["sql"], name: string): CountedRow {
  const [row] = sql.exec("SELECT at, total FROM seen WHERE name = ?", name).toArray();
  setTotal(sql, name, null);
  return row as unknown as CountedRow;
}

const setTotal = (sql: PartStorage["sql"], name: string, total: string | null): void =>
  void sql.exec("UPDATE seen SET total = ? WHERE name = ?", total, name);
