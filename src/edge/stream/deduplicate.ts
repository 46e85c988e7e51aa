// Deduplication in a stream of several rooms. Each room's socket also carries messages of the user's own room and of
// the whole hub, so that those arrive once for each room of the stream.

import { isAfter } from "../../model/topic.ts";
import type { RoomRecord } from "./room-record.ts";

/**
 * Knows duplicates by room and position. Records without a position are never duplicates. Its memory grows with the
 * rooms beside the stream's own: the user's, and `all`.
 */
export class Deduplicator {
  readonly #rooms: ReadonlySet<string>;
  /** The newest position delivered of each room that is not one of the stream's own. */
  readonly #newest = new Map<string, string>();

  /** The stream's own rooms, as topics: each is delivered by its own socket alone. */
  constructor(rooms: Iterable<string>) {
    this.#rooms = new Set(rooms);
  }

  /**
   * Whether this record, received through the socket of the room `through`, was delivered already or will be by its
   * own room's socket. Otherwise it counts as delivered from here on: call once for each record, in order.
   */
  isDuplicate(through: string, { room, position }: RoomRecord): boolean {
    if (room === undefined || position === undefined || room === through) return false;
    if (this.#rooms.has(room)) return true;
    const newest = this.#newest.get(room);
    const isOld = newest !== undefined && !isAfter(position, newest);
    if (!isOld) this.#newest.set(room, position);
    return isOld;
  }
}
