// Publications of connections' calls in rooms elsewhere that are not delivered here yet. A message goes by way of its
// room and meets the members that are here when it comes back, while joins and leaves take effect at once: so these wait
// for the publications of the same connection in the same room.

import type { Position } from "../../model/position.ts";
import type { Connection } from "../connection/connection.ts";
import type { FollowedRoom } from "./followed-room.ts";

export class UndeliveredPublications {
  readonly #followed: (room: string) => FollowedRoom | undefined;
  readonly #newest = new WeakMap<Connection, Map<string, Promise<void>>>();

  /** `followed` finds a room that this object follows. */
  constructor(followed: (room: string) => FollowedRoom | undefined) {
    this.#followed = followed;
  }

  /**
   * Gives the position of the publication: at once where the connection is no member of the room, else when its own copy
   * is on the way or late. Rejects as the publication does.
   */
  async add<P extends Position>(
    connection: Connection,
    room: string,
    published: Promise<P>,
  ): Promise<P> {
    const isMember = this.#followed(room)?.members.has(connection) ?? false;
    const delivered = published.then((position) => this.#delivered(room, position));
    this.#remember(connection, room, delivered);
    if (isMember) await delivered;
    return published;
  }

  async #delivered(room: string, position: Position): Promise<void> {
    const followed = this.#followed(room);
    if (followed && followed.members.size > 0) await followed.whenReached(position);
  }

  /** Publications to one room arrive in their order, so the newest stands for all. */
  #remember(connection: Connection, room: string, delivered: Promise<void>): void {
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
