// The tables of a room in memory: in a database of the test, or rows that a function of the test returns.

import type { TurnPorts } from "../../rooms/state/action-turn.ts";
import type { AnyHub } from "../define/hub-definition.ts";
import type { RoomSetting, TestDatabase } from "./calling-room-types.ts";

export interface MemoryTables {
  readonly sql: TurnPorts["sql"];
  /** Its writes are rolled back if it throws. */
  atomic<T>(run: () => T): T;
}

/** Creates the tables, if there is a database. */
export function memoryTables(
  tables: readonly string[],
  { database, sql }: Pick<RoomSetting<AnyHub>, "database" | "sql">,
): MemoryTables {
  for (const table of tables) database?.exec(table);
  const rowsOf = database ? statementsOf(database) : sql;
  const exec = (query: string, ...values: unknown[]) => {
    if (tables.length === 0) throw new TypeError("The hub declares no `tables` for its SQL.");
    if (!rowsOf) throw new Error("A room in memory has no tables: give a `database`, or `sql`.");
    const rows = rowsOf(query, values);
    return { toArray: () => [...rows], rowsWritten: 0 };
  };
  return {
    sql: { exec } as never,
    atomic: (run) => (database && tables.length > 0 ? atomically(database, run) : run()),
  };
}

/** Statements of a database of Node, which takes views of buffers, and returns rows without a prototype. */
const statementsOf = (database: TestDatabase) => (query: string, values: readonly unknown[]) =>
  database
    .prepare(query)
    .all(...values.map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value)))
    .map((row) => ({ ...(row as object) }));

function atomically<T>(database: TestDatabase, run: () => T): T {
  database.exec("SAVEPOINT action");
  try {
    return run();
  } catch (error) {
    database.exec("ROLLBACK TO action");
    throw error;
  } finally {
    database.exec("RELEASE action");
  }
}
