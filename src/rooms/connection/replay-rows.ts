// What a replay buffer (replay-buffer.ts) begins with, is limited by, and writes: one row for each frame.

import type { Encoded } from "../../model/message.ts";
import type { Attached } from "./attachment.ts";
import type { ConnectionBytes } from "./held-bytes.ts";

/** A frame that the client has not confirmed, with messages `first` to `last`. */
export interface UnconfirmedFrame {
  readonly first: number;
  readonly last: number;
  readonly frame: Encoded;
}

/** The buffer's rows. */
export interface ReplayRows {
  saveAttachment(attached: Attached): void;
  saveReceived(count: number): void;
  addFrame(frame: UnconfirmedFrame): void;
  /** Frames whose last message is `upTo` or an earlier one. */
  removeFrames(upTo: number): void;
}

export interface ReplayState {
  /** Number of the client's newest message that was taken. */
  readonly receivedCount: number;
  /** Number of the newest message that the client has confirmed. */
  readonly confirmedUpTo: number;
  readonly unconfirmed: readonly UnconfirmedFrame[];
}

export interface ReplayLimits {
  /** Characters that may be under way without a confirmation. */
  readonly window: number;
  /** Characters that may be kept in all. */
  readonly maxKept: number;
  /** The connection's budget of memory. */
  readonly held?: Pick<ConnectionBytes, "fitsFrames" | "addFrames">;
  /** Long polling: every frame is kept and confirmed as a whole, and the client numbers nothing. */
  readonly byFrame?: boolean;
}
