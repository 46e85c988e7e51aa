// The followers of a room: links in memory, rows on disk, and the offset at which each follower begins.

import type { Position } from "../../model/topic.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { MemberCount } from "../rpc/room-rpc.ts";
import { linkAt, type FollowersOptions, type Link } from "./follower-link.ts";
import { BEFORE_LOG, FollowerRows } from "./follower-rows.ts";

export class FollowerLinks {
  readonly #log: RoomLog;
  readonly rows: FollowerRows;
  /** By the follower's object name. */
  readonly all: Map<string, Link>;

  constructor(options: FollowersOptions) {
    const { countsMembers = true, hasBegun, hasLostEntries, isInMemory, log, storage } = options;
    this.#log = log;
    const rows = (this.rows = new FollowerRows(storage, countsMembers));
    const isCutOff = (isInMemory || hasBegun) && rows.isUnsettled;
    if (hasLostEntries || isCutOff) rows.restart();
    else if (hasBegun) rows.restart(0);
    const linkOf = (offset: number) => linkAt(Math.min(offset, log.position.offset));
    this.all = new Map([...rows.offsets()].map(([name, offset]) => [name, linkOf(offset)]));
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
