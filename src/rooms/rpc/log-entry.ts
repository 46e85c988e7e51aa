// Messages of a room as objects pass them to each other: before they have a number, with it, and as pages of history.

import type { PresenceView } from "./presence-view.ts";
import type { Params } from "../../model/message.ts";
import type { Position } from "../../model/topic.ts";

/** A state, or a view of it, where the room stood then. */
export interface Snapshot {
  /** JSON text. */
  readonly text: string;
  readonly position: Position;
}

/** A publication before the room has given it a number. */
export interface Draft extends Params {
  /** Idempotency key: published twice under one id, it is delivered once, as long as the log remembers the id. */
  readonly id?: string;
  readonly target: string;
  /** Ids of connections that are not to receive it. */
  readonly except?: readonly string[];
  /** Trace context of the request that it came of (`traceparent`), for webhooks. */
  readonly trace?: string;
  /** Published only where the room still stands here (`conflict`). Entries do not have it. */
  readonly ifAt?: Position;
}

/** A publication with its number in the room's log. */
export interface Entry extends Draft {
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * An entry with a change of the room's state; `params` is the text of its `StateChange`, or empty where clients see
 * nothing of it. Its other members stay in the room's object.
 */
export interface StateEntry extends Entry {
  /** The change of the whole state, as `params` would have it; absent where `params` says the same. */
  readonly change?: string;
  /** Runs under keys: the key, the position's offset, and the result as JSON. */
  readonly runs?: readonly StoredRun[];
}

export type StoredRun = readonly [key: string, offset: number, result: string];

/** The entry as it leaves the room's object. */
export function publicEntry(entry: StateEntry): Entry {
  if (entry.change === undefined && entry.runs === undefined) return entry;
  const { change: _change, runs: _runs, ...rest } = entry;
  return rest;
}

/** Targets of the protocol's own entries, which are no messages of the hub, begin so. */
export const OWN_TARGET = "$/";
export const PRESENCE = `${OWN_TARGET}presence`;

/** Without `since` the newest messages. Pages are bounded by count (`recovery` of the limits) and by size. */
export interface HistoryQuery {
  readonly since?: Position;
  readonly limit?: number;
  readonly reverse?: boolean;
}

export interface HistoryView {
  readonly entries: readonly Entry[];
  /** The newest position of the log. */
  readonly position: Position;
  /** False where `since` is of another epoch or the log no longer has all after it; `entries` is empty then. */
  readonly recovered: boolean;
  /**
   * The room's state as clients see it, in place of changes up to its position; where readers are to replace theirs.
   */
  readonly state?: Snapshot;
  /** Of a page: characters of the rows that were read for it, which may hold many more messages. */
  readonly readChars?: number;
}

/** Entries that a connection missed in a room that it joins. */
export interface MissedView extends HistoryView {
  /** Where it was requested: the users at this position. */
  readonly present?: PresenceView;
}
