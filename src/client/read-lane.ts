// The reads of presence and history that a page's rooms make by themselves. The rooms of one socket share its rate of
// calls, which a hundred of them would spend at once: few reads are under way at a time.

import type { HubError } from "../model/errors.ts";
import { repeat, type StateSource, type RepeatOptions } from "./repeat.ts";

const READS_AT_ONCE = 8;

class ReadLane {
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  /** Reads in the order of the calls. A read that ends gives its place to the first that waits. */
  async inTurn<T>(read: () => Promise<T>): Promise<T> {
    if (this.#underWay < READS_AT_ONCE) this.#underWay += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await read();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#underWay -= 1;
    }
  }
}

/** By connection. The views of a hub's rooms have that of the hub. */
const lanes = new WeakMap<object, ReadLane>();

function laneOf(connection: object): ReadLane {
  const lane = lanes.get(connection) ?? new ReadLane();
  lanes.set(connection, lane);
  return lane;
}

/** The reads of a view take turns with those of all others on its hub's connection. */
export const shareLane = (view: object, hub: object): void => void lanes.set(view, laneOf(hub));

/**
 * Reads as soon as it is this read's turn, and again after refusals that may pass, as `repeat`. A read over the limit
 * of the connection's rate keeps its place meanwhile, so that those behind it do not spend what calls of the
 * application need; its pauses stay short, since the rate is refilled within seconds. Other failures concern a room
 * alone, and let the others pass.
 */
export const readInTurn = <T>(
  connection: StateSource,
  read: () => Promise<T>,
  options: RepeatOptions,
): Promise<T | undefined> =>
  repeat(
    connection,
    () =>
      laneOf(connection).inTurn(() =>
        repeat(connection, read, { ...options, mayRepeat: isRateLimited, doublings: 0 }),
      ),
    options,
  );

const isRateLimited = ({ code }: HubError): boolean => code === "rate_limited";
