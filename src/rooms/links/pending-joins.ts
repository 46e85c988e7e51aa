// Rooms that connections are to join and are not in yet, because the join is under way or waits for its next attempt.
// A connection that leaves such a room is no member, so that only this record prevents the next attempt.

import type { Connection } from "../connection/connection.ts";
import type { Cause } from "./follow-tables.ts";

export class PendingJoins {
  readonly #rooms = new WeakMap<Connection, Map<string, Cause>>();

  begin(connection: Connection, room: string, cause: Cause): void {
    const rooms = this.#rooms.get(connection);
    if (rooms) rooms.set(room, cause);
    else this.#rooms.set(connection, new Map([[room, cause]]));
  }

  /** Called when the connection has joined the room, has left it, or will not join it. */
  end(connection: Connection, room: string): void {
    this.#rooms.get(connection)?.delete(room);
  }

  /** The rooms, as topics, and why the connection is to join them. */
  of(connection: Connection): ReadonlyMap<string, Cause> {
    return this.#rooms.get(connection) ?? NONE;
  }
}

const NONE: ReadonlyMap<string, Cause> = new Map();
