// A room's records of its followers, which survive sleep, crashes and deploys: their names, how many connections of
// each user they have, and the offset up to which all of them have the log.

import type { PartStorage } from "../../model/stored-values.ts";
import type { SettledKeeper } from "../observe/last-report.ts";
import type { MemberCount } from "../rpc/room-rpc.ts";

/** Lower than every offset: the follower must be reset, because it does not know yet that a new epoch began. */
export const BEFORE_LOG = -1;

/** A row for each follower and user. The row with an empty user has the offset after which the follower began. */
const TABLE = `CREATE TABLE IF NOT EXISTS followers (follower TEXT, user TEXT, connections INTEGER,
  PRIMARY KEY (follower, user)) WITHOUT ROWID`;

interface FollowerRowsOptions {
  readonly storage: Pick<PartStorage, "sql" | "kv">;
  /** Whether followers report their members. */
  readonly countsMembers: boolean;
  /** Where the checkpoint may be saved together with the object's counts. */
  readonly beside?: SettledKeeper | undefined;
}

export class FollowerRows {
  readonly #storage: Pick<PartStorage, "sql" | "kv">;
  readonly #countsMembers: boolean;
  readonly #beside: SettledKeeper | undefined;

  constructor({ storage, countsMembers, beside }: FollowerRowsOptions) {
    this.#storage = storage;
    this.#countsMembers = countsMembers;
    this.#beside = beside;
    storage.sql.exec(TABLE);
  }

  /**
   * For each follower the offset up to which it certainly has all entries; `BEFORE_LOG` if it must be reset. `epoch` is
   * the log's.
   */
  *offsets(epoch: string): Iterable<[follower: string, offset: number]> {
    const { kv, sql } = this.#storage;
    const beside = this.#beside?.settled;
    const settled = Math.max(
      kv.get<number>("settled") ?? 0,
      beside?.epoch === epoch ? beside.offset : BEFORE_LOG,
    );
    const rows = sql.exec("SELECT follower, connections AS start FROM followers WHERE user = ''");
    for (const { follower, start } of rows)
      yield [follower as string, Math.max(settled, start as number)];
  }

  /** Connections of each user by follower, for presence after a wake. Deletes the rows if members are not counted. */
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

  /** Called when the next checkpoint will be saved in this wake. */
  expectSettled(): void {
    this.#beside?.expectSettled();
  }

  /** Called when a follower could not be reached: the checkpoint may take long. */
  cancelSettled(): void {
    this.#beside?.cancelSettled();
  }

  /** Saves a checkpoint: every follower has all entries of the epoch up to this offset. */
  settle(offset: number, epoch: string): void {
    const isBeside = !this.isUnsettled && this.#beside?.saveSettled({ epoch, offset });
    if (!isBeside) this.#setOffset(offset);
  }

  /** Entries are about to leave that a crash would lose: until the next checkpoint a wake resets every follower. */
  unsettle(): void {
    this.#setOffset(BEFORE_LOG);
  }

  #setOffset(offset: number): void {
    this.#storage.kv.put("settled", offset);
  }

  /**
   * True until the next checkpoint: a wake must reset every follower, because a log in memory cannot repeat batches.
   */
  get isUnsettled(): boolean {
    return this.#storage.kv.get("settled") === BEFORE_LOG;
  }

  /** A new epoch has begun: every follower must be reset (`BEFORE_LOG`), or gets all entries of the epoch (0). */
  restart(offset: typeof BEFORE_LOG | 0 = BEFORE_LOG): void {
    this.#setOffset(offset);
    this.#storage.sql.exec("UPDATE followers SET connections = ? WHERE user = ''", offset);
  }
}
