// Messages of a room for calls between objects: before they have an offset, with it, and as pages of history.

import type { PresenceView } from "./presence-view.ts";
import type { Params } from "../../model/message.ts";
import type { Position } from "../../model/topic.ts";

/** A state, or a view of it, at a position. */
export interface Snapshot {
  /** JSON text. */
  readonly text: string;
  readonly position: Position;
}

/** A publication before the room has given it an offset. */
export interface Draft extends Params {
  /** Idempotency key: published twice under one id, it is delivered once, as long as the log remembers the id. */
  readonly id?: string;
  readonly target: string;
  /** Ids of connections that must not receive it. */
  readonly except?: readonly string[];
  /** Trace context of the request that caused it (`traceparent`), for webhooks. */
  readonly trace?: string;
  /** Published only if the room is still at this position, else `conflict`. Entries do not have it. */
  readonly ifAt?: Position;
}

/** A publication with its offset in the room's log. */
export interface Entry extends Draft {
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * An entry with a change of the room's state; `params` is the text of its `StateChange`, or empty if clients see none
 * of it. The members below stay in the room's object.
 */
export interface StateEntry extends Entry {
  /** The change of the whole state, as text of a `StateChange`; absent if it equals `params`. */
  readonly change?: string;
  /** Runs with keys: the key, the position's offset, and the result as JSON. */
  readonly runs?: readonly StoredRun[];
}

export type StoredRun = readonly [key: string, offset: number, result: string];

/** The entry without the members that stay in the room's object. */
export function publicEntry(entry: StateEntry): Entry {
  if (entry.change === undefined && entry.runs === undefined) return entry;
  const { change: _change, runs: _runs, ...rest } = entry;
  return rest;
}

/** The beginning of targets of the protocol's own entries, which are no messages of the hub. */
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
  /** False if `since` is of another epoch, or the log lacks entries after it; `entries` is empty then. */
  readonly recovered: boolean;
  /**
   * A snapshot of the view of clients, instead of changes up to its position: readers must replace their copy.
   */
  readonly state?: Snapshot;
  /** Characters of the rows that were read for a page, which may hold many more messages. */
  readonly readChars?: number;
}

/** Entries that a connection missed in a room that it joins. */
export interface MissedView extends HistoryView {
  /** The users at this position, if they were requested. */
  readonly present?: PresenceView;
}
