// Limits how many automatic reads of presence and history run at a time. The rooms of one socket share its rate of
// calls, which the reads of a hundred rooms would use up at once.

import type { HubError } from "../model/errors.ts";
import { repeat, type StateSource, type RepeatOptions } from "./repeat.ts";

const READS_AT_ONCE = 8;

class ReadLane {
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  /** Reads in the order of the calls: when a read ends, the first that waits begins. */
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

/** The lane of each connection. The room views of a hub's connection share its lane. */
const lanes = new WeakMap<object, ReadLane>();

function laneOf(connection: object): ReadLane {
  const lane = lanes.get(connection) ?? new ReadLane();
  lanes.set(connection, lane);
  return lane;
}

/** Makes the reads of a room view take turns with all others on the hub's connection. */
export const shareLane = (view: object, hub: object): void => void lanes.set(view, laneOf(hub));

/**
 * Reads when it is this read's turn, and repeats it after temporary refusals, like `repeat`. A read that exceeds the
 * rate of the connection keeps its place during the pause, so that later reads leave calls to the application; the
 * pause stays short, since the rate recovers within seconds. Other failures concern only one room: meanwhile the next
 * read may begin.
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
