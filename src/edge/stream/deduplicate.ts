// Deduplication in a stream of several rooms. Each room's socket also carries messages of the user's own room and of
// the whole hub, so that those arrive once for each room of the stream.

import { parsePosition } from "../../model/topic.ts";
import type { RoomRecord } from "./room-record.ts";

/**
 * The number of offsets of a room that are remembered. Sockets of several objects are not in step: one may bring an
 * offset before another has brought the preceding one.
 */
const OFFSETS = 256;
/** Epochs of a room that are remembered: a socket may still bring the end of one when another has brought the next. */
const EPOCHS = 2;

interface Delivered {
  readonly epoch: string;
  readonly offsets: Set<number>;
  newest: number;
}

/**
 * Recognises duplicates by room and position. Records without a position are never duplicates. It remembers positions
 * only of rooms that are not the stream's own: the user's, and `all`.
 */
export class Deduplicator {
  readonly #rooms: ReadonlySet<string>;
  /** The delivered offsets of each room that is not one of the stream's own. */
  readonly #delivered = new Map<string, readonly Delivered[]>();

  /** `rooms` are the stream's own rooms, as topics: each is delivered only by its own socket. */
  constructor(rooms: Iterable<string>) {
    this.#rooms = new Set(rooms);
  }

  /**
   * Whether this record, received through the socket of the room `through`, was delivered already or will be by its
   * own room's socket. If not, it is now counted as delivered: call this once for each record.
   */
  isDuplicate(through: string, { room, position }: RoomRecord): boolean {
    if (room === undefined || position === undefined || room === through) return false;
    if (this.#rooms.has(room)) return true;
    const { epoch, offset } = parsePosition(position);
    const delivered = this.#deliveredOf(room, epoch, offset);
    const { newest, offsets } = delivered;
    if (offset <= newest - OFFSETS || offsets.has(offset)) return true;
    offsets.add(offset);
    delivered.newest = Math.max(newest, offset);
    if (offsets.size >= 2 * OFFSETS) forgetOld(delivered);
    return false;
  }

  #deliveredOf(room: string, epoch: string, offset: number): Delivered {
    const before = this.#delivered.get(room) ?? [];
    const known = before.find((one) => one.epoch === epoch);
    if (known) return known;
    const begun = { epoch, offsets: new Set<number>(), newest: offset };
    this.#delivered.set(room, [begun, ...before].slice(0, EPOCHS));
    return begun;
  }
}

function forgetOld({ offsets, newest }: Delivered): void {
  for (const offset of offsets) if (offset <= newest - OFFSETS) offsets.delete(offset);
}
