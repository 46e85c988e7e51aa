// The rooms that this object follows, in SQLite. A row is written before the first `follow`, so that after a crash the
// next wake finds every room that may count this object among its followers. Positions are saved where clients resume
// or rejoin.

import type { Sql } from "../../model/stored-values.ts";
import type { Position } from "../../model/position.ts";

interface FollowTableOptions {
  readonly sql: Sql;
  /** Positions cost a row for each batch: without them a wake begins at the newest position of each room. */
  readonly keepsPositions: boolean;
}

export class FollowTable {
  readonly #sql: Sql;
  readonly keepsPositions: boolean;

  constructor({ sql, keepsPositions }: FollowTableOptions) {
    this.#sql = sql;
    this.keepsPositions = keepsPositions;
    sql.exec("CREATE TABLE IF NOT EXISTS follows (room TEXT PRIMARY KEY) WITHOUT ROWID");
    if (keepsPositions)
      sql.exec(
        "CREATE TABLE IF NOT EXISTS stands (room TEXT PRIMARY KEY, epoch TEXT, offset INTEGER) WITHOUT ROWID",
      );
  }

  /** Rooms that may count this object among their followers, as topics in text form. */
  rooms(): string[] {
    const rows = this.#sql.exec("SELECT room FROM follows").toArray();
    return rows.map(({ room }) => room as string);
  }

  add(room: string): void {
    this.#sql.exec("INSERT OR IGNORE INTO follows VALUES (?)", room);
  }

  remove(room: string): void {
    this.#sql.exec("DELETE FROM follows WHERE room = ?", room);
  }

  /** The position up to which the room's entries were delivered; undefined where none is saved. */
  position(room: string): Position | undefined {
    if (!this.keepsPositions) return undefined;
    const [row] = this.#sql.exec("SELECT epoch, offset FROM stands WHERE room = ?", room).toArray();
    return row && { epoch: row["epoch"] as string, offset: row["offset"] as number };
  }

  savePosition(room: string, { epoch, offset }: Position): void {
    this.#sql.exec("INSERT OR REPLACE INTO stands VALUES (?, ?, ?)", room, epoch, offset);
  }

  forgetPosition(room: string): void {
    if (this.keepsPositions) this.#sql.exec("DELETE FROM stands WHERE room = ?", room);
  }
}
