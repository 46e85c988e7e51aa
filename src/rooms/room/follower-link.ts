// What a room remembers of one follower in this wake.

import { retryPause } from "../platform/retry-pause.ts";
import type { DeliveryReply } from "../rpc/room-rpc.ts";

/** The answer of a follower that still follows. */
export type Progress = Exclude<DeliveryReply, { kind: "gone" }>;

export interface Link {
  /** Offset of the newest entry that was sent to it, and not refused; `BEFORE_LOG` where it is to be reset. */
  deliveredOffset: number;
  /** The same of what it has confirmed: less where the answer to its own publication brought the newest entries. */
  confirmedOffset: number;
  /** A batch is under way, or the answer to its own publication. */
  isSending: boolean;
  /** Failures since the last success. */
  failures: number;
  /** When a failed batch is sent again, milliseconds since 1970. */
  retryAt: number | undefined;
  /** Calls of `follow` in this wake: a `gone` to a batch from before the newest call is out of date. */
  followCount: number;
}

export const linkAt = (offset: number): Link => ({
  ...{ deliveredOffset: offset, confirmedOffset: offset, isSending: false, failures: 0 },
  ...{ retryAt: undefined, followCount: 0 },
});

/** Counts a failure; gives the pause before the next attempt, in milliseconds. */
export const failed = (link: Link): number => retryPause(link.failures++);
