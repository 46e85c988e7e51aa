// A stream of several rooms hears some things more than once: what all of a hub hears, say, comes by each of its rooms.

import { isAfter } from "../../model/position.ts";
import type { Heard } from "../sse/sse-events.ts";

export class Once {
  readonly #rooms: ReadonlySet<string>;
  /** The newest that was told of rooms that are not the stream's own. */
  readonly #elsewhere = new Map<string, string>();

  /** Of these rooms each tells its own. */
  constructor(rooms: Iterable<string>) {
    this.#rooms = new Set(rooms);
  }

  /** Whether it was told, or will be by its own room; else it counts as told from here on. */
  heardBefore(through: string, { room, position }: Heard): boolean {
    if (room === undefined || position === undefined || room === through) return false;
    if (this.#rooms.has(room)) return true;
    const last = this.#elsewhere.get(room);
    const isOld = last !== undefined && !isAfter(position, last);
    if (!isOld) this.#elsewhere.set(room, position);
    return isOld;
  }
}
