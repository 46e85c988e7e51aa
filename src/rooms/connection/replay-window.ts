// How many of a connection's unconfirmed frames may be on the wire: a window, as SignalR's `bufferBytes`. The frames on
// the wire are always the first ones, and follow from what is stored: after a sleep the same frames count as written.

import type { UnconfirmedFrame } from "./replay-rows.ts";

interface Window {
  /** Frames that are written already. */
  readonly written: number;
  /** Characters that may be under way without a confirmation. */
  readonly window: number;
  /** Characters of the largest frame. */
  readonly largest: number;
  /**
   * Frames up to this number are sent again. They do not count: a client need not confirm them a second time
   * (docs/design/signalr-reconnect.md#sr13).
   */
  readonly repeatedUpTo: number;
}

/**
 * Windows that may be on the wire in all, sent again or not, beside the largest frame and one that is not sent again: a
 * client that resumes and confirms nothing gets little more each time.
 */
const MOST_WINDOWS = 4;

/** How many frames may be written in all; at least one that is not sent again is always under way. */
export function countOfWritable(
  frames: readonly UnconfirmedFrame[],
  { written, window, largest, repeatedUpTo }: Window,
): number {
  let [underWay, all] = [0, 0];
  for (const [index, { frame, last }] of frames.entries()) {
    const size = last <= repeatedUpTo ? 0 : frame.length;
    const hasRoom = underWay + size <= window && all - largest <= MOST_WINDOWS * window;
    if (index >= written && underWay > 0 && size > 0 && !hasRoom) return index;
    underWay += size;
    all += frame.length;
  }
  return frames.length;
}
