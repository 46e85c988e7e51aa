// The contract of a room's log. open-log.ts selects the log of a room.

import type { Position } from "../../model/topic.ts";
import type { Entry, HistoryQuery, HistoryView } from "../rpc/log-entry.ts";

/**
 * The numbered history of a room, messages and presence alike.
 *
 * - Offsets are consecutive, from 1 in each epoch. Within an epoch no offset is used for two entries.
 * - Entries are read in the order of their offsets. Recovery gives all missed entries or none.
 * - The history is bounded by number (`history.size` messages) and age (`history.ttlSeconds`), and each answer by size.
 *   Presence does not count, and never displaces a message.
 * - Entries are erased from storage at the latest after twice their age (`expire`), whether the room is used or not.
 * - Frames and answers after `append` leave the object only when its entries are durable (output gate). Entries survive
 *   sleep, crashes and deploys; the logs of log-modes.ts promise less, and begin a new epoch if entries may be lost.
 * - A publication's id is remembered as long as its message: published again, it keeps its offset.
 */
export interface RoomLog {
  /** Epoch and offset of the newest entry; offset 0 before the first. */
  readonly position: Position;
  /**
   * Adds entries, whose offsets must follow the position: all of them, or none if it throws an error of the storage.
   * `isAtOnce`: writes them now also with `durability: "behind"`, in one commit with rows of the caller.
   */
  append(entries: readonly Entry[], isAtOnce?: boolean): void;
  /** Writes entries that wait to be written. Absent in logs in which none wait. */
  save?(): void;
  /** Offset of the message that was published under this id; undefined once the history no longer has it. */
  find(id: string, now: number): number | undefined;
  /**
   * All entries after a position. None, with `recovered: false`, if the position is of another epoch or of the future,
   * if the history no longer has all entries after it, or if more than `most` were missed. Reads up to the first entry
   * for which `isEnough` is true.
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
   * The entries after this offset, expired or not, up to the size of a batch: for followers. Undefined if some entry
   * after the offset was overwritten.
   */
  after(offset: number): Entry[] | undefined;
  /**
   * The stored entries after this offset, expired or not, also if some are missing. Writes nothing.
   */
  kept(offset: number): Entry[];
  /** When expired entries must be erased, milliseconds since 1970; undefined if there are no entries. */
  readonly expiresAt: number | undefined;
  /** Whether there are no entries, neither stored nor waiting: a new epoch would lose nothing. */
  readonly isEmpty: boolean;
  /** Erases expired entries. Recovery and history do not change, because these did not read them any more. */
  expire(now: number): void;
  /** Removes all entries; offsets continue in the same epoch. */
  clear(now: number): void;
  /** Removes all entries, and begins a new epoch at offset 0. */
  erase(epoch: string): void;
}

/** The port of a room's state, which writes its own rows in the commits of the room's log. */
export interface BesideLog {
  /**
   * Calls `write` once, which writes the rows of these entries: alone, or in one transaction with rows of this part.
   * Throws the errors of both, and then nothing is written.
   */
  commit(entries: readonly Entry[], write: () => void): void;
  /** The log's newest offset, if only this part stores it (`OffsetLog`); undefined if it has none. */
  readonly offset: number | undefined;
}
