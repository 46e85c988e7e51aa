// Rows of a room's own tables as JSON, for exports and imports of the room.

import { HubError } from "../../model/errors.ts";
import { isPlatformTable } from "../platform/storage-version.ts";
import type { ExportedState, StoredRow, StoredValue } from "../rpc/state-rpc.ts";

type Sql = Pick<SqlStorage, "exec">;

export type TableRows = ExportedState["tables"];

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** All tables, except those of the object and the platform, and shadow tables of virtual ones. */
export function tableNames(sql: Sql, own: readonly string[]): readonly string[] {
  const tables = sql.exec<{ name: string; type: string }>("PRAGMA table_list").toArray();
  const known = new Set(own);
  return tables
    .filter(({ type }) => type === "table" || type === "virtual")
    .map(({ name }) => name)
    .filter((name) => !known.has(name) && !isPlatformTable(name));
}

/** The columns of a table, without computed ones. */
function columnsOf(sql: Sql, table: string): readonly string[] {
  const columns = sql.exec<{ name: string }>(`PRAGMA table_info(${quoted(table)})`).toArray();
  return columns.map(({ name }) => name);
}

/** Whether a table has rows; reads one row at most. */
export const hasRows = (sql: Sql, table: string): boolean =>
  sql.exec(`SELECT 1 FROM ${quoted(table)} LIMIT 1`).toArray().length > 0;

/** The rows of a table. Subtracts their bytes as JSON from `rest`, and throws `too_large` if that is not enough. */
export function rowsIn(sql: Sql, table: string, rest: { bytes: number }): StoredRow[] {
  const columns = columnsOf(sql, table).map(quoted).join(", ");
  const rows: StoredRow[] = [];
  for (const row of sql.exec(`SELECT ${columns} FROM ${quoted(table)}`)) {
    const stored = storedRow(row);
    rest.bytes -= JSON.stringify(stored).length + 1;
    if (rest.bytes < 0)
      throw new HubError("too_large", "The room has too many rows to be exported.");
    rows.push(stored);
  }
  return rows;
}

const storedRow = (row: Record<string, SqlStorageValue>): StoredRow =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof ArrayBuffer ? { base64: new Uint8Array(value).toBase64() } : value,
    ]),
  );

/**
 * Inserts rows, in the caller's transaction: foreign keys may refer to later rows. Omits tables of the platform, which
 * old exports have. Throws `invalid_arguments`.
 */
export function fillTables(sql: Sql, names: readonly string[], rows: TableRows): void {
  sql.exec("PRAGMA defer_foreign_keys = ON");
  const filled = Object.entries(rows).filter(([table]) => !isPlatformTable(table));
  for (const [table, all] of filled) {
    if (!names.includes(table)) throw refused(`The room has no table ${table}.`);
    const columns = new Set(columnsOf(sql, table));
    for (const row of all) insert(sql, { table, columns, row });
  }
  // Checked here, because a missing key at the end of the turn would abort the whole object.
  for (const [table] of filled)
    if (sql.exec(`PRAGMA foreign_key_check(${quoted(table)})`).toArray().length > 0)
      throw refused(`A row of the table ${table} names another that is not there.`);
}

interface Insertion {
  readonly table: string;
  readonly columns: ReadonlySet<string>;
  readonly row: StoredRow;
}

function insert(sql: Sql, { table, columns, row }: Insertion): void {
  const names = Object.keys(row);
  const unknown = names.find((name) => !columns.has(name));
  if (unknown !== undefined) throw refused(`The table ${table} has no column ${unknown}.`);
  const values = Object.values(row).map((value) => sqlValue(value, table));
  const places = values.map(() => "?").join(", ");
  const into = `INSERT INTO ${quoted(table)} (${names.map(quoted).join(", ")}) VALUES (${places})`;
  try {
    sql.exec(into, ...values);
  } catch (error) {
    throw refused(`A row of the table ${table} is not admitted.`, error);
  }
}

function sqlValue(value: StoredValue, table: string): SqlStorageValue {
  if (typeof value !== "object" || value === null) return value;
  try {
    return Uint8Array.fromBase64(value.base64).buffer;
  } catch (error) {
    throw refused(`A row of the table ${table} has bytes that are not base64.`, error);
  }
}

const refused = (problem: string, cause?: unknown): HubError =>
  new HubError("invalid_arguments", problem, { cause });
