// The stored state of a room, without opening it: to erase it, and where the present deploy declares none, or a log
// without entries.

import type { History } from "../../model/options.ts";
import { STATE_TARGET } from "../../model/state-wire.ts";
import type { PartStorage } from "../../model/stored-values.ts";
import type { Position } from "../../model/topic.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { StateEntry } from "../rpc/log-entry.ts";
import { ERASED } from "./external-state.ts";
import { TABLES_RUN } from "./room-tables.ts";
import { RunMemory } from "./run-memory.ts";
import { applyEntry } from "./state-changes.ts";
import { StateRows } from "./state-rows.ts";
import { quoted, tableNames } from "./table-rows.ts";

const TABLES = ["room_state", "room_schedule", "room_outgoing"] as const;

interface StateStorage extends PartStorage {
  hasTable(table: string): boolean;
}

/** Whether anything of a state is stored, or an erasure that is not saved elsewhere yet. */
export const holdsState = (storage: StateStorage): boolean =>
  TABLES.some((table) => storage.hasTable(table) && hasRow(storage, table)) ||
  (storage.hasTable("room_state") && storage.kv.get(ERASED) !== undefined);

const hasRow = ({ sql }: PartStorage, table: string): boolean =>
  sql.exec(`SELECT 1 AS one FROM ${table} LIMIT 1`).toArray().length > 0;

/** The offset of the checkpoint; undefined without one. */
export const checkpointOffset = ({ sql }: PartStorage): number | undefined =>
  sql.exec<{ offset: number }>("SELECT offset FROM room_state").toArray()[0]?.offset;

/** If a wake would read more messages without a change than this, the checkpoint is moved after them. */
const READ_AGAIN = 16;

interface Folded {
  readonly storage: PartStorage;
  readonly history: History;
  readonly log: Pick<RoomLog, "kept" | "position">;
  /** The log ends: only the checkpoint keeps its offset. */
  readonly endsLog: boolean;
  readonly now: number;
}

/**
 * Puts changes and answers that only the log has into the checkpoint, of any version, before the log loses them. Called
 * in the transaction that ends or expires the log. Does nothing without a checkpoint.
 */
export function foldChanges({ storage, history, log, endsLog, now }: Folded): void {
  const { sql } = storage;
  const rows = new StateRows(sql, history, true);
  const reached = rows.offset;
  if (reached === undefined) return;
  const entries = log.kept(reached);
  const changes = entries.filter(({ target }) => target === STATE_TARGET);
  const offset = Math.max(reached, log.position.offset);
  if (changes.length === 0) {
    if (endsLog || entries.length > READ_AGAIN) rows.moveTo(offset);
    return;
  }
  const row = rows.read()!;
  const runs = new RunMemory(sql);
  for (const { at, runs: kept = [] } of changes as StateEntry[]) runs.restore(kept, at);
  const state = changes.reduce(applyEntry, JSON.parse(row.json) as unknown);
  rows.write({ ...row, offset, json: JSON.stringify(state) });
  runs.write(now);
}

/** Deletes all rows of a state, in the transaction of an erasure. */
export function eraseRows({ sql }: Pick<PartStorage, "sql">): void {
  for (const table of [...TABLES, "room_runs"]) sql.exec(`DELETE FROM ${table}`);
}

interface Erased {
  readonly storage: StateStorage;
  /** The whole database, for tables of the hub. */
  readonly sql: Pick<SqlStorage, "exec">;
  /** The names of the object's own tables. */
  readonly own: readonly string[];
  /** The room's position after the erasure of its log. */
  readonly position: Position;
}

/**
 * Deletes the stored state, in the transaction of an erasure. A state that was saved elsewhere is erased there when a
 * deploy declares it again. Tables of the hub exist only with a state.
 */
export function eraseState({ storage, sql, own, position }: Erased): void {
  const saved = storage.sql.exec("SELECT 1 FROM room_state WHERE saved >= 0").toArray();
  if (saved.length > 0) storage.kv.put(ERASED, position);
  eraseRows(storage);
  if (!storage.kv.delete(TABLES_RUN)) return;
  for (const name of tableNames(sql, own)) sql.exec(`DROP TABLE ${quoted(name)}`);
}
