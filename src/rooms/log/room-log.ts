// The contract of a room's log. Which log a room has is decided by open-log.ts.

import type { Position } from "../../model/topic.ts";
import type { Entry, HistoryQuery, HistoryView } from "../rpc/log-entry.ts";

/**
 * The numbered history of a room, messages and presence alike.
 *
 * - Offsets are consecutive, from 1 in each epoch. Within an epoch no offset is used for two entries.
 * - Entries are read in the order of their offsets, whole or not at all: recovery never gives a part of what was
 *   missed.
 * - The history is bounded by count (`history.size` messages), by age (`history.ttlSeconds`), and per answer by size.
 *   Presence does not count, and never displaces a message.
 * - Entries are erased from storage at the latest after twice their age (`expire`), whether the room is used or not.
 * - Entries are durable when what leaves the object after `append` has left (output gate). They survive sleep, crashes
 *   and deploys; the logs of open-log.ts promise less, and begin a new epoch where entries may be lost.
 * - A publication's id is remembered as long as its message: published again, it keeps its offset.
 */
export interface RoomLog {
  /** Epoch and offset of the newest entry; offset 0 before the first. */
  readonly position: Position;
  /**
   * Adds entries whose offsets follow on the position: all of them, or none where it throws what the storage throws.
   * `isAtOnce`: not behind, since they are one commit with rows of the caller.
   */
  append(entries: readonly Entry[], isAtOnce?: boolean): void;
  /** Writes entries that wait to be written. Absent in logs where none wait. */
  save?(): void;
  /** Offset of the message that was published under this id; undefined once the history no longer has it. */
  find(id: string, now: number): number | undefined;
  /**
   * All entries after a position. None, with `recovered: false`, where the position is of another epoch or of the
   * future, the history no longer has all after it, or more than `most` were missed. Those behind the first for which
   * `isEnough` holds are not read.
   */
  since(
    since: Position,
    now: number,
    most: number,
    isEnough?: (entry: Entry) => boolean,
  ): HistoryView;
  /** A page of at most `most` messages, without presence; without `since` the newest ones. */
  page(query: HistoryQuery, now: number, most: number): HistoryView;
  /**
   * The entries after this offset, whatever their age, as many as a batch has at least: repairs of followers. Undefined
   * where some of all after it are overwritten.
   */
  after(offset: number): Entry[] | undefined;
  /**
   * Entries after this offset that are still kept, whatever their age, and even where some are missing. Writes nothing.
   */
  kept(offset: number): Entry[];
  /** When entries past their age are to be erased, milliseconds since 1970; undefined where there are no entries. */
  readonly expiresAt: number | undefined;
  /** Neither entries nor ids are kept, and none waits to be written: a new epoch would lose nothing. */
  readonly isEmpty: boolean;
  /** Erases what is past its age. Recovery and history do not change: they gave none of it any more. */
  expire(now: number): void;
  /** Removes all entries; offsets go on, in the same epoch. */
  clear(now: number): void;
  /** Removes all entries, and begins a new epoch at offset 0. */
  erase(epoch: string): void;
}
