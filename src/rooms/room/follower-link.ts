// A room's record of one follower in this wake, and the room as its followers need it.

import type { History } from "../../model/options.ts";
import type { PartStorage } from "../../model/stored-values.ts";
import type { RoomLog } from "../log/room-log.ts";
import { retryPause } from "../platform/retry-pause.ts";
import type { RoomStubs } from "../rpc/object-names.ts";
import type { Delivery, DeliveryReply } from "../rpc/room-rpc.ts";

export interface FollowersOptions {
  /** The topic of the room, as text. */
  readonly room: string;
  readonly storage: Pick<PartStorage, "sql" | "kv">;
  readonly log: RoomLog;
  /** The log began a new epoch at this wake, and has lost entries. */
  readonly hasLostEntries: boolean;
  /** The log has just begun, and the room may have followers of before. Default: no. */
  readonly hasBegun?: boolean | undefined;
  /** The log keeps no entries: what a crash cuts off on its way to followers cannot be repaired. */
  readonly isInMemory: boolean;
  /** Entries that the log is sure to keep: after a wake they may have to be sent again. */
  readonly history: History;
  /** Whether followers report their members. Default: yes. */
  readonly countsMembers?: boolean;
  readonly stubs: RoomStubs;
  now(): number;
  /** Requests a call of `run` at this time or earlier. */
  arm(at: number): void;
  waitUntil(work: Promise<unknown>): void;
  snapshot?(): Pick<Delivery, "state">;
  /** Called after a follower was removed: it has no connection in the room any more. */
  removed(follower: string): void;
}

/** The answer of a follower that still follows. */
export type FollowerProgress = Exclude<DeliveryReply, { kind: "gone" }>;

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
