// Types of a replay buffer (replay-buffer.ts): its initial state, its limits and its rows, one for each frame. Also the
// frames of a resume.

import type { Encoded, Outgoing } from "../../model/message.ts";
import type { Protocol } from "../../protocols/protocol.ts";
import type { Attached, RepeatedRange } from "./attachment.ts";
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
  /** Removes frames whose last message is `upTo` or an earlier one. */
  removeFrames(upTo: number): void;
}

export interface ReplayState {
  /** Number of the client's newest message that was taken. */
  readonly receivedCount: number;
  /** Number of the newest message that the client has confirmed. */
  readonly confirmedUpTo: number;
  readonly unconfirmed: readonly UnconfirmedFrame[];
  /** Messages that were sent again at the last resume, if there was one. */
  readonly repeated?: RepeatedRange | undefined;
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

/** The frames for a client that has resumed. */
export interface Resumption {
  /** Number of the first message that it gets. */
  readonly sequence: number;
  /** Number of messages from there on that it has confirmed: placeholders are sent for them, which it drops. */
  readonly confirmed: number;
  /** The unconfirmed frames that fit into the window. */
  readonly frames: readonly Encoded[];
}

/** The placeholder: the smallest message that has a number. */
const DROPPED: Outgoing = { type: "completion", id: "0", result: undefined };

/** The first frame has the Sequence and the placeholders. */
export function framesOf(
  protocol: Protocol,
  { sequence, confirmed, frames }: Resumption,
): Encoded[] {
  const first = protocol.encode({ type: "sequence", sequence });
  const dropped = Array.from({ length: confirmed }, () => protocol.encode(DROPPED));
  return [protocol.join([first, ...dropped]), ...frames];
}
