// How many of a connection's unconfirmed frames may be on the wire: a window, like SignalR's `bufferBytes`. These are
// always the first frames, computed from the stored ones: after a sleep the same frames count as written.

import type { UnconfirmedFrame } from "./replay-rows.ts";

/** The number of written frames, from the first on, and their characters; updated with each frame. */
export interface WrittenFrames {
  readonly frames: number;
  /** Characters of all of them. */
  readonly all: number;
  /** Characters of those that are not sent again. */
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
 * The most windows on the wire, sent again or not, in addition to the largest frame and one that is not sent again: a
 * client that resumes and confirms nothing gets little more each time.
 */
const MOST_WINDOWS = 4;

/** Adds the frames that fit into the window. At least one frame that is not sent again is always under way. */
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

/** Removes the first frames, which are confirmed. */
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
