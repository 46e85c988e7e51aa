// A room's record of one follower in memory, and the options of `Followers`.

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
  /** The log has just begun, but rows of earlier followers may exist. Default: false. */
  readonly hasBegun?: boolean | undefined;
  /** The log keeps no entries: batches that a crash cuts off cannot be sent again. */
  readonly isInMemory: boolean;
  /** How much the log certainly keeps: a wake may have to send entries again. */
  readonly history: History;
  /** Whether followers report their members. Default: true. */
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
  /** Offset of the newest entry that was sent to the follower and not refused; `BEFORE_LOG`: it must be reset. */
  deliveredOffset: number;
  /** Offset of the newest entry that it has confirmed. It does not confirm entries in an answer of `publishAs`. */
  confirmedOffset: number;
  /** A batch is under way, or the answer to its own publication. */
  isSending: boolean;
  /** Failures since the last success. */
  failures: number;
  /** When a failed batch is sent again, milliseconds since 1970. */
  retryAt: number | undefined;
  /** Number of `follow` calls in this wake: a reply `gone` to a batch sent before the newest call is outdated. */
  followCount: number;
}

export const linkAt = (offset: number): Link => ({
  ...{ deliveredOffset: offset, confirmedOffset: offset, isSending: false, failures: 0 },
  ...{ retryAt: undefined, followCount: 0 },
});

/** Counts a failure; returns the pause before the next attempt, in milliseconds. */
export const failed = (link: Link): number => retryPause(link.failures++);
