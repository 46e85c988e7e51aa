// Which of this object's connections hub code has put into which rooms elsewhere. A row for each, so that it survives
// sleep; the rows of connections that did not survive are taken back at the next wake.

import type { Connection } from "./connection.ts";

/** A user whose connection in the room is gone since the last wake. */
export interface Lost {
  readonly room: string;
  readonly userId: string;
  readonly connection: string;
}

export class Memberships {
  readonly #sql: SqlStorage;
  readonly #members = new Map<string, Set<Connection>>();
  readonly #rooms = new Map<Connection, Set<string>>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS joins (room TEXT, connection TEXT, user TEXT, PRIMARY KEY (room, connection)) WITHOUT ROWID",
    );
  }

  /** After a wake: finds the connections again, and names those that are gone. */
  restore(find: (id: string) => Connection | undefined): Lost[] {
    const rows = this.#sql.exec("SELECT room, connection, user FROM joins").toArray();
    return rows.flatMap((row) => {
      const room = row["room"] as string;
      const connection = find(row["connection"] as string);
      if (connection) this.#link(connection, room);
      else this.#delete(room, row["connection"] as string);
      const lost = { room, userId: row["user"] as string, connection: row["connection"] as string };
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
    return [...(this.#rooms.get(connection) ?? [])];
  }

  add(connection: Connection, room: string): void {
    const row = [room, connection.id, connection.user.id];
    this.#sql.exec("INSERT OR REPLACE INTO joins VALUES (?, ?, ?)", ...row);
    this.#link(connection, room);
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

  #link(connection: Connection, room: string): void {
    this.#set(room).add(connection);
    const rooms = this.#rooms.get(connection) ?? new Set();
    this.#rooms.set(connection, rooms.add(room));
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
