// A room's records of its followers, which survive sleep, crashes and deploys: their names, how many connections of
// each user they have, and how far all of them have come in the log.

import type { PartStorage } from "../../model/stored-values.ts";
import type { MemberCount } from "../rpc/room-rpc.ts";

/** Before the first offset: a follower that is to be reset, since it does not know yet that a new epoch began. */
export const BEFORE_LOG = -1;

/** A row for each follower and user. The one without a user has the offset after which the follower began. */
const TABLE = `CREATE TABLE IF NOT EXISTS followers (follower TEXT, user TEXT, connections INTEGER,
  PRIMARY KEY (follower, user)) WITHOUT ROWID`;

export class FollowerRows {
  readonly #storage: Pick<PartStorage, "sql" | "kv">;
  readonly #countsMembers: boolean;

  /** `countsMembers`: whether followers report theirs. */
  constructor(storage: Pick<PartStorage, "sql" | "kv">, countsMembers: boolean) {
    this.#storage = storage;
    this.#countsMembers = countsMembers;
    storage.sql.exec(TABLE);
  }

  /** The offset up to which each follower surely has everything; `BEFORE_LOG` where it is to be reset. */
  *offsets(): Iterable<[follower: string, offset: number]> {
    const { kv, sql } = this.#storage;
    const settled = kv.get<number>("settled") ?? 0;
    const rows = sql.exec("SELECT follower, connections AS start FROM followers WHERE user = ''");
    for (const { follower, start } of rows)
      yield [follower as string, Math.max(settled, start as number)];
  }

  /** Connections of each user by follower, for presence after a wake. Those of an earlier deploy are out of date. */
  *members(): Iterable<[follower: string, userId: string, connections: number]> {
    const query = this.#countsMembers ? "SELECT * FROM followers" : "DELETE FROM followers";
    for (const row of this.#storage.sql.exec(`${query} WHERE user <> ''`))
      yield [row["follower"] as string, row["user"] as string, row["connections"] as number];
  }

  usersOf(follower: string): string[] {
    const query = "SELECT user FROM followers WHERE follower = ? AND user <> ''";
    return [...this.#storage.sql.exec<{ user: string }>(query, follower)].map(({ user }) => user);
  }

  add(follower: string, startOffset: number): void {
    const row = [follower, startOffset];
    this.#storage.sql.exec("INSERT OR REPLACE INTO followers VALUES (?, '', ?)", ...row);
  }

  setMembers(follower: string, members: readonly MemberCount[]): void {
    const { sql } = this.#storage;
    for (const [user, connections] of members)
      if (connections > 0)
        sql.exec("INSERT OR REPLACE INTO followers VALUES (?, ?, ?)", follower, user, connections);
      else sql.exec("DELETE FROM followers WHERE follower = ? AND user = ?", follower, user);
  }

  remove(follower: string): void {
    this.#storage.sql.exec("DELETE FROM followers WHERE follower = ?", follower);
  }

  /** A checkpoint: every follower has everything up to here. */
  settle(offset: number): void {
    this.#storage.kv.put("settled", offset);
  }

  /**
   * Until the next checkpoint a wake resets every follower; a log in memory only cannot repair what a crash cut off.
   */
  get isUnsettled(): boolean {
    return this.#storage.kv.get("settled") === BEFORE_LOG;
  }

  /** All offsets are of an epoch that has ended: every follower is to be reset, or gets all of the new one (0). */
  restart(offset: typeof BEFORE_LOG | 0 = BEFORE_LOG): void {
    this.settle(offset);
    this.#storage.sql.exec("UPDATE followers SET connections = ? WHERE user = ''", offset);
  }
}
