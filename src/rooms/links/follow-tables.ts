// SQLite tables of the rooms that this object follows: the rooms, the position in each, and the memberships of this
// object's connections in them, with their causes.

import type { PartStorage, Sql } from "../../model/stored-values.ts";
import { HubError } from "../../model/errors.ts";
import type { RoomSettings } from "../../model/options.ts";
import { formatTopic, type Position } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";

export type FollowStorage = Pick<PartStorage, "sql" | "kv">;

/**
 * The followed rooms. A row is written before the first `follow`, so that after a crash the next wake finds every room
 * that may have this object as a follower. Positions are saved if the hub's clients may resume or rejoin.
 */
export class FollowTable {
  readonly #sql: Sql;
  readonly #kv: PartStorage["kv"];
  #unsure: ReadonlySet<string> | undefined;
  /** Positions cost a row for each batch: without them a wake begins at the newest position of each room. */
  readonly keepsPositions: boolean;

  constructor({ sql, kv }: FollowStorage, { rememberGroups, signalR }: RoomSettings) {
    this.#sql = sql;
    this.#kv = kv;
    this.keepsPositions = rememberGroups > 0 || signalR.statefulReconnect !== undefined;
    sql.exec("CREATE TABLE IF NOT EXISTS follows (room TEXT PRIMARY KEY) WITHOUT ROWID");
    sql.exec(
      "CREATE TABLE IF NOT EXISTS stands (room TEXT PRIMARY KEY, epoch TEXT, offset INTEGER) WITHOUT ROWID",
    );
    // Rows of an earlier deploy: a later deploy would continue from these positions, and repeat entries since.
    if (!this.keepsPositions) sql.exec("DELETE FROM stands");
  }

  /** Rooms that may have this object as a follower, as topics in text form. */
  rooms(): string[] {
    const rows = this.#sql.exec("SELECT room FROM follows").toArray();
    return rows.map(({ room }) => room as string);
  }

  get #doubted(): ReadonlySet<string> {
    return (this.#unsure ??= new Set(this.#kv.get<string[]>(UNSURE)));
  }

  /** Whether the room's counts of this object's members may be wrong: after a wake all of them are reported. */
  isUnsure(room: string): boolean {
    return this.#doubted.has(EVERY_ROOM) || this.#doubted.has(room);
  }

  /** Saves that a report to the room has failed, or may have, because memory of it ends with a sleep. */
  doubt(room: string): void {
    // Each repetition calls this for every room that still fails.
    if (!this.isUnsure(room)) this.#setUnsure(new Set([...this.#doubted, room]));
  }

  /** All rooms except these have the right counts. If `#unsure` was never read, the last wake restored no room. */
  trustAllBut(stale: ReadonlySet<string>): void {
    if (this.#unsure) this.#setUnsure(new Set([...stale].filter((room) => this.isUnsure(room))));
  }

  /** The list is written whole for each room: above its bound one name stands for every room. */
  #setUnsure(rooms: ReadonlySet<string>): void {
    const kept = rooms.size > MOST_UNSURE ? new Set([EVERY_ROOM]) : rooms;
    if (isSame(kept, this.#doubted)) return;
    if (kept.size > 0) this.#kv.put(UNSURE, [...kept]);
    else this.#kv.delete(UNSURE);
    this.#unsure = kept;
  }

  add(room: string): void {
    this.#sql.exec("INSERT OR IGNORE INTO follows VALUES (?)", room);
  }

  remove(room: string): void {
    this.#sql.exec("DELETE FROM follows WHERE room = ?", room);
  }

  /** The position up to which the room's entries were delivered; undefined if none is saved. */
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

/** Storage key: rooms whose report has failed, until a later report succeeds. */
const UNSURE = "unreported";

/** Number of rooms that the list names. If more fail at once, a wake reports to all rooms instead. */
const MOST_UNSURE = 100;

/** In the list: any room's counts may be wrong. No topic has this name. */
const EVERY_ROOM = "*";

const isSame = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.size === other.size && [...one].every((name) => other.has(name));

/**
 * Why a connection is in a room. A fresh token must admit the rooms that an older token named or the client joined. It
 * does not affect rooms that hub code joined.
 */
export type Cause = "token" | "client" | "hub";

/** A membership whose connection was lost before this wake. */
export interface LostMembership {
  readonly room: string;
  readonly userId: string;
  readonly connection: string;
  readonly cause: Cause;
}

/**
 * The memberships, with a row for each. After a wake lost connections are reported to their rooms; their rows stay
 * until that has succeeded, so that another crash does not lose them.
 */
export class Memberships {
  readonly #sql: Sql;
  readonly #members = new Map<string, Set<Connection>>();
  readonly #rooms = new Map<Connection, Map<string, Cause>>();
  #lost: LostMembership[] = [];

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS joins (room TEXT, connection TEXT, user TEXT, cause TEXT, PRIMARY KEY (room, connection)) WITHOUT ROWID",
    );
  }

  /** Restores members after a wake. Returns the memberships of lost connections. */
  restore(find: (id: string) => Connection | undefined): LostMembership[] {
    const rows = this.#sql.exec("SELECT room, connection, user, cause FROM joins").toArray();
    this.#lost = rows.flatMap((row) => {
      const { room, connection: id, user: userId, cause } = row as Record<string, string>;
      const lost = { room: room!, userId: userId!, connection: id!, cause: cause as Cause };
      const connection = find(lost.connection);
      if (connection) this.#link(connection, lost.room, lost.cause);
      return connection ? [] : [lost];
    });
    return this.#lost;
  }

  /** Deletes the rows of lost connections, except in rooms that do not have the report yet. */
  forgetLost(stale: ReadonlySet<string>): void {
    for (const { room, connection } of this.#lost)
      if (!stale.has(room)) this.#delete(room, connection);
    this.#lost = this.#lost.filter(({ room }) => stale.has(room));
  }

  /** The room's members here: a live set, the same one until `forget`. */
  of(room: string): ReadonlySet<Connection> {
    return this.#membersOf(room);
  }

  has(connection: Connection, room: string): boolean {
    return this.#rooms.get(connection)?.has(room) ?? false;
  }

  /** Throws `too_many_groups` if the connection is in `most` rooms. Its user's own room does not count. */
  checkLimit(connection: Connection, most: number): void {
    const rooms = this.causesOf(connection);
    const own = formatTopic({ kind: "user", name: connection.user.id });
    if ((rooms.has(own) ? rooms.size - 1 : rooms.size) >= most)
      throw new HubError(
        "too_many_groups",
        `A connection joins ${most} rooms at most (limits.groupsPerConnection).`,
      );
  }

  roomsOf(connection: Connection): string[] {
    return [...this.causesOf(connection).keys()];
  }

  /** The connection's rooms, as topics, and why it is in each. */
  causesOf(connection: Connection): ReadonlyMap<string, Cause> {
    return this.#rooms.get(connection) ?? NO_ROOMS;
  }

  /**
   * May be repeated. A join by hub code replaces the cause of an existing membership; other joins do not.
   */
  add(connection: Connection, room: string, cause: Cause): void {
    const current = this.causesOf(connection).get(room);
    if (current === cause || (current && cause !== "hub")) return;
    const row = [room, connection.id, connection.user.id, cause];
    this.#sql.exec("INSERT OR REPLACE INTO joins VALUES (?, ?, ?, ?)", ...row);
    this.#link(connection, room, cause);
  }

  remove(connection: Connection, room: string): void {
    this.#delete(room, connection.id);
    this.drop(connection, room);
  }

  /** Removes the membership in memory only: the row of an ended connection is deleted after the next wake. */
  drop(connection: Connection, room: string): void {
    this.#membersOf(room).delete(connection);
    const rooms = this.#rooms.get(connection);
    if (rooms?.delete(room) && rooms.size === 0) this.#rooms.delete(connection);
  }

  /** The room was unfollowed: drops its set, unless a connection has joined since. */
  forget(room: string): void {
    if (this.#members.get(room)?.size === 0) this.#members.delete(room);
  }

  #link(connection: Connection, room: string, cause: Cause): void {
    this.#membersOf(room).add(connection);
    const rooms = this.#rooms.get(connection) ?? new Map<string, Cause>();
    this.#rooms.set(connection, rooms.set(room, cause));
  }

  #membersOf(room: string): Set<Connection> {
    let members = this.#members.get(room);
    if (!members) this.#members.set(room, (members = new Set()));
    return members;
  }

  #delete(room: string, connection: string): void {
    this.#sql.exec("DELETE FROM joins WHERE room = ? AND connection = ?", room, connection);
  }
}

const NO_ROOMS: ReadonlyMap<string, Cause> = new Map();
