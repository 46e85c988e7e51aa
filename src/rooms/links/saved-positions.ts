// How far this object came in the rooms it follows, across crashes: only where a client that comes back asks for it,
// because it costs a row a batch.

import type { Position } from "../../model/position.ts";

export class SavedPositions {
  readonly #sql: SqlStorage | undefined;

  /** Without storage nothing is kept. */
  constructor(sql: SqlStorage | undefined) {
    this.#sql = sql;
    sql?.exec(
      "CREATE TABLE IF NOT EXISTS stands (room TEXT PRIMARY KEY, epoch TEXT, offset INTEGER) WITHOUT ROWID",
    );
  }

  get kept(): boolean {
    return this.#sql !== undefined;
  }

  keep(room: string, { epoch, offset }: Position): void {
    this.#sql?.exec("INSERT OR REPLACE INTO stands VALUES (?, ?, ?)", room, epoch, offset);
  }

  of(room: string): Position | undefined {
    const rows = this.#sql?.exec("SELECT epoch, offset FROM stands WHERE room = ?", room);
    const [row] = rows?.toArray() ?? [];
    return row && { epoch: row["epoch"] as string, offset: row["offset"] as number };
  }

  forget(room: string): void {
    this.#sql?.exec("DELETE FROM stands WHERE room = ?", room);
  }
}
