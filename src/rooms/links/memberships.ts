// Which of this object's connections are in which rooms elsewhere, and who put them there. A row for each, so that it survives
// sleep; the rows of connections that did not survive are taken back at the next wake.

import type { Connection } from "../connection/connection.ts";

/**
 * Who put a connection into a room. Fresh tokens are asked whether they admit what an older one named and what the
 * client asked for; what hub code joined is hub code's.
 */
export type Cause = "token" | "client" | "hub";

/** A user whose connection in the room is gone since the last wake. */
export interface LostMembership {
  readonly room: string;
  readonly userId: string;
  readonly connection: string;
  readonly cause: Cause;
}

export class Memberships {
  readonly #sql: SqlStorage;
  readonly #members = new Map<string, Set<Connection>>();
  readonly #rooms = new Map<Connection, Map<string, Cause>>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS joins (room TEXT, connection TEXT, user TEXT, cause TEXT, PRIMARY KEY (room, connection)) WITHOUT ROWID",
    );
  }

  /** After a wake: finds the connections again, and names those that are gone. */
  restore(find: (id: string) => Connection | undefined): LostMembership[] {
    const rows = this.#sql.exec("SELECT room, connection, user, cause FROM joins").toArray();
    return rows.flatMap((row) => {
      const { room, connection: id, user: userId, cause } = row as Record<string, string>;
      const lost = { room: room!, userId: userId!, connection: id!, cause: cause as Cause };
      const connection = find(lost.connection);
      if (connection) this.#link(connection, lost.room, lost.cause);
      else this.#delete(lost.room, lost.connection);
      return connection ? [] : [lost];
    });
  }

  /** The room's members here; the same set for as long as the object is awake. */
  of(room: string): ReadonlySet<Connection> {
    return this.#set(room);
  }

  has(connection: Connection, room: string): boolean {
    return this.#rooms.get(connection)?.has(room) ?? false;
  }

  roomsOf(connection: Connection): string[] {
    return [...this.causesOf(connection).keys()];
  }

  /** The same, and why it is there. */
  causesOf(connection: Connection): ReadonlyMap<string, Cause> {
    return this.#rooms.get(connection) ?? NO_ROOMS;
  }

  /** Who is there already stays; what hub code joins is from then on its own. */
  add(connection: Connection, room: string, cause: Cause): void {
    const known = this.causesOf(connection).get(room);
    if (known === cause || (known && cause !== "hub")) return;
    const row = [room, connection.id, connection.user.id, cause];
    this.#sql.exec("INSERT OR REPLACE INTO joins VALUES (?, ?, ?, ?)", ...row);
    this.#link(connection, room, cause);
  }

  remove(connection: Connection, room: string): void {
    this.#delete(room, connection.id);
    this.#set(room).delete(connection);
    const rooms = this.#rooms.get(connection);
    if (rooms?.delete(room) && rooms.size === 0) this.#rooms.delete(connection);
  }

  /** Nobody is in the room any more. */
  forget(room: string): void {
    if (this.#members.get(room)?.size === 0) this.#members.delete(room);
  }

  #link(connection: Connection, room: string, cause: Cause): void {
    this.#set(room).add(connection);
    const rooms = this.#rooms.get(connection) ?? new Map<string, Cause>();
    this.#rooms.set(connection, rooms.set(room, cause));
  }

  #set(room: string): Set<Connection> {
    let members = this.#members.get(room);
    if (!members) this.#members.set(room, (members = new Set()));
    return members;
  }

  #delete(room: string, connection: string): void {
    this.#sql.exec("DELETE FROM joins WHERE room = ? AND connection = ?", room, connection);
  }
}

const NO_ROOMS: ReadonlyMap<string, Cause> = new Map();
