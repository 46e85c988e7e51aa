// The followers of a room: their links in this wake, and their rows. Where each begins in the log.

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

  /** All members that the follower has, and none of those it is known for beside them. */
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

  /** A follower with another epoch must be reset. */
  #startAt(position: Position | undefined): number {
    const { epoch, offset } = this.#log.position;
    if (!position) return offset;
    return position.epoch === epoch && position.offset <= offset ? position.offset : BEFORE_LOG;
  }

  /** False where it is none. */
  remove(follower: string): boolean {
    if (!this.all.delete(follower)) return false;
    this.rows.remove(follower);
    return true;
  }
}
