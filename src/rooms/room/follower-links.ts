// The followers of a room: links in memory, rows on disk, and the offset at which each follower begins.

import type { PartStorage } from "../../model/stored-values.ts";
import type { Position } from "../../model/topic.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { SettledKeeper } from "../observe/last-report.ts";
import { retryPause } from "../platform/retry-pause.ts";
import type { RoomStubs } from "../rpc/object-names.ts";
import type { Delivery, DeliveryReply, MemberCount } from "../rpc/room-rpc.ts";
import type { CheckpointOptions } from "./checkpoint.ts";
import { BEFORE_LOG, FollowerRows } from "./follower-rows.ts";

/** The options of `Followers`. */
export interface FollowersOptions extends CheckpointOptions {
  /** The topic of the room, as text. */
  readonly room: string;
  readonly storage: Pick<PartStorage, "sql" | "kv">;
  readonly log: RoomLog;
  /** The log began a new epoch at this wake, and has lost entries. */
  readonly hasLostEntries: boolean;
  /** The log has just begun, but rows of earlier followers may exist. Default: false. */
  readonly hasBegun?: boolean | undefined;
  /** Where the checkpoint may be saved together with the object's counts. */
  readonly beside?: SettledKeeper | undefined;
  /** Whether followers report their members. Default: true. */
  readonly countsMembers?: boolean;
  readonly stubs: RoomStubs;
  /** Resolves when the object's counts of what it is doing now are about to be saved. */
  settled(): Promise<unknown>;
  waitUntil(work: Promise<unknown>): void;
  snapshot?(): Pick<Delivery, "state">;
  /** Called after a follower was removed: it has no connection in the room any more. */
  removed(follower: string): void;
}

/** The answer of a follower that still follows. */
export type FollowerProgress = Exclude<DeliveryReply, { kind: "gone" }>;

/** One follower. */
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

export class FollowerLinks {
  readonly #log: RoomLog;
  readonly rows: FollowerRows;
  /** By the follower's object name. */
  readonly all: Map<string, Link>;

  constructor(options: FollowersOptions) {
    const { beside, countsMembers = true, hasBegun, hasLostEntries, log, storage } = options;
    this.#log = log;
    const rows = (this.rows = new FollowerRows({ storage, countsMembers, beside }));
    const isCutOff = (options.durability === "none" || hasBegun) && rows.isUnsettled;
    if (hasLostEntries || isCutOff) rows.restart();
    else if (hasBegun) rows.restart(0);
    const linkOf = (offset: number) => linkAt(Math.min(offset, log.position.offset));
    this.all = new Map(
      [...rows.offsets(log.position.epoch)].map(([name, offset]) => [name, linkOf(offset)]),
    );
  }

  /** Completes a full report: adds a count of zero for each user that the follower reported before and not now. */
  complete(follower: string, members: readonly MemberCount[]): readonly MemberCount[] {
    if (!this.all.has(follower)) return members;
    const named = new Set(members.map(([user]) => user));
    const others = this.rows.usersOf(follower).filter((user) => !named.has(user));
    return [...members, ...others.map((user): MemberCount => [user, 0])];
  }

  add(follower: string, members: readonly MemberCount[], position?: Position): Link {
    const link = this.all.get(follower) ?? this.#begin(follower, position);
    link.followCount++;
    this.rows.setMembers(follower, members);
    return link;
  }

  #begin(follower: string, position: Position | undefined): Link {
    const link = linkAt(this.#startAt(position));
    this.rows.add(follower, link.deliveredOffset);
    this.all.set(follower, link);
    return link;
  }

  /** The offset after which a new follower begins; `BEFORE_LOG` (a reset) if its position is not of this log. */
  #startAt(position: Position | undefined): number {
    const { epoch, offset } = this.#log.position;
    if (!position) return offset;
    return position.epoch === epoch && position.offset <= offset ? position.offset : BEFORE_LOG;
  }

  /** False if there is no such follower. */
  remove(follower: string): boolean {
    if (!this.all.delete(follower)) return false;
    this.rows.remove(follower);
    return true;
  }
}
