// The SQLite rows of an object's resumable connections: a copy of each attachment, since when its client is away, and
// the frames of its replay buffer. They outlive the socket, sleep and crashes, and end with the connection.

import type { Encoded } from "../../model/message.ts";
import type { Sql } from "../../model/stored-values.ts";
import type { Attached } from "./attachment.ts";
import type { Connection } from "./connection.ts";
import type { ReplayRows, ReplayState, UnconfirmedFrame } from "./replay-rows.ts";

const TABLES = `
  CREATE TABLE IF NOT EXISTS resumables (connection TEXT PRIMARY KEY, attached TEXT,
    received INTEGER, confirmed INTEGER, away INTEGER) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS unconfirmed (connection TEXT, last INTEGER, first INTEGER, frame,
    PRIMARY KEY (connection, last)) WITHOUT ROWID;`;

interface SavedConnection {
  readonly id: string;
  readonly attached: Attached;
  /** Since when its client is away, milliseconds since 1970; null if it had a socket. */
  readonly away: number | null;
  readonly state: ReplayState;
}

export class ResumableRows {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(TABLES);
  }

  all(): SavedConnection[] {
    return this.#sql
      .exec("SELECT * FROM resumables")
      .toArray()
      .map((row) => ({
        id: row["connection"] as string,
        attached: JSON.parse(row["attached"] as string) as Attached,
        away: row["away"] as number | null,
        state: {
          receivedCount: row["received"] as number,
          confirmedUpTo: row["confirmed"] as number,
          unconfirmed: this.#unconfirmedFrames(row["connection"] as string),
        },
      }));
  }

  #unconfirmedFrames(id: string): UnconfirmedFrame[] {
    const rows = this.#sql.exec(
      "SELECT first, last, frame FROM unconfirmed WHERE connection = ? ORDER BY last",
      id,
    );
    return rows.toArray().map(({ first, last, frame }) => ({
      first: first as number,
      last: last as number,
      frame: frame instanceof ArrayBuffer ? new Uint8Array(frame) : (frame as string),
    }));
  }

  begin({ id, attached }: Connection): void {
    const row = [id, JSON.stringify(attached)];
    this.#sql.exec("INSERT OR REPLACE INTO resumables VALUES (?, ?, 0, 0, NULL)", ...row);
  }

  saveAwaySince({ id }: Connection, at: number | null): void {
    this.#sql.exec("UPDATE resumables SET away = ? WHERE connection = ?", at, id);
  }

  /** The rows of one connection, as its replay buffer writes them. */
  of({ id }: Connection): ReplayRows {
    const sql = this.#sql;
    const set = (column: string, value: SqlStorageValue) =>
      sql.exec(`UPDATE resumables SET ${column} = ? WHERE connection = ?`, value, id);
    return {
      saveAttachment: (attached) => set("attached", JSON.stringify(attached)),
      saveReceived: (count) => set("received", count),
      addFrame: ({ first, last, frame }) =>
        sql.exec("INSERT INTO unconfirmed VALUES (?, ?, ?, ?)", id, last, first, sqlValueOf(frame)),
      removeFrames: (upTo) => {
        sql.exec("DELETE FROM unconfirmed WHERE connection = ? AND last <= ?", id, upTo);
        set("confirmed", upTo);
      },
    };
  }

  end({ id }: Pick<Connection, "id">): void {
    this.#sql.exec("DELETE FROM resumables WHERE connection = ?", id);
    this.#sql.exec("DELETE FROM unconfirmed WHERE connection = ?", id);
  }
}

/** SQLite takes buffers, not views. */
const sqlValueOf = (frame: Encoded): string | ArrayBuffer =>
  typeof frame === "string" ? frame : (frame.slice().buffer as ArrayBuffer);
