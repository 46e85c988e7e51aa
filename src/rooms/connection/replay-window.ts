// How many of a connection's unconfirmed frames may be on the wire: a window, as SignalR's `bufferBytes`. The frames on
// the wire are always the first ones, and follow from what is stored: after a sleep the same frames count as written.

import type { UnconfirmedFrame } from "./replay-rows.ts";

/** Frames that were written, from the first on, and their characters. Kept from one frame to the next. */
export interface WrittenFrames {
  readonly frames: number;
  /** Characters of all of them … */
  readonly all: number;
  /** … and of those that are not sent again. */
  readonly fresh: number;
}

export const NOTHING: WrittenFrames = { frames: 0, all: 0, fresh: 0 };

interface Window {
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

/** The characters that may be written in all; at least one frame that is not sent again is always under way. */
export function withWritable(
  all: readonly UnconfirmedFrame[],
  written: WrittenFrames,
  { window, largest, repeatedUpTo }: Window,
): WrittenFrames {
  let now = written;
  while (now.frames < all.length) {
    const { frame, last } = all[now.frames]!;
    const fresh = last <= repeatedUpTo ? 0 : frame.length;
    const hasRoom = now.fresh + fresh <= window && now.all - largest <= MOST_WINDOWS * window;
    if (now.fresh > 0 && fresh > 0 && !hasRoom) break;
    now = { frames: now.frames + 1, all: now.all + frame.length, fresh: now.fresh + fresh };
  }
  return now;
}

/** The first frames are confirmed. */
export function withoutConfirmed(
  written: WrittenFrames,
  confirmed: readonly UnconfirmedFrame[],
  repeatedUpTo: number,
): WrittenFrames {
  let { all, fresh } = written;
  for (const { frame, last } of confirmed) {
    all -= frame.length;
    if (last > repeatedUpTo) fresh -= frame.length;
  }
  return { frames: written.frames - confirmed.length, all, fresh };
}
