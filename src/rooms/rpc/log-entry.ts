// Messages of a room as objects pass them to each other: before they have a number, with it, and as pages of history.

import type { Params } from "../../model/message.ts";
import type { Position } from "../../model/topic.ts";

/** A publication before the room has given it a number. */
export interface Draft extends Params {
  /** Idempotency key: published twice under one id, it is delivered once, as long as the log remembers the id. */
  readonly id?: string;
  readonly target: string;
  /** Ids of connections that are not to receive it. */
  readonly except?: readonly string[];
}

/** A publication with its number in the room's log. */
export interface Entry extends Draft {
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Target of the protocol's own entries about presence. */
export const PRESENCE = "$/presence";

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
}
