// Publications of connections' calls in rooms elsewhere that are not delivered here yet. A message goes by way of its
// room and meets the members that are here when it comes back, while joins and leaves take effect at once: so these wait
// for the publications of the same connection in the same room.

import type { Connection } from "../connection/connection.ts";

export class PendingPublications {
  readonly #newest = new WeakMap<Connection, Map<string, Promise<void>>>();

  /** `delivered` may reject: the call that published reports it. Publications to one room arrive in their order. */
  add(connection: Connection, room: string, delivered: Promise<unknown>): void {
    const rooms = this.#newest.get(connection) ?? new Map<string, Promise<void>>();
    this.#newest.set(connection, rooms);
    const forget = () => {
      if (rooms.get(room) === settled) rooms.delete(room);
    };
    const settled: Promise<void> = delivered.then(forget, forget);
    rooms.set(room, settled);
  }

  /** Done when everything that the connection's calls have published there is delivered here, or has failed. */
  async settled(connection: Connection, room: string): Promise<void> {
    await this.#newest.get(connection)?.get(room);
  }
}
