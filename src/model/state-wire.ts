// A room's state on the wire of JSON-RPC. The other protocols send the same values under names of their own.
//
// - On a room's own socket the snapshot is `state` in `$/connected`, next to `position`. It is absent if the replay has
//   the changes instead, because they are shorter, and in rooms whose clients see no state.
// - On a hub's socket the snapshot is a `$/state`, with `room` and `position`, before all other messages of the room:
//   before the answer to `$/join` and the entries that follow it.
// - After it, each `$/state` is one change, numbered like a message. A snapshot instead of a change replaces the copy.
// - One frame has the change, the messages and the answer of an action, in this order.

/** A room's state as its clients see it, with its position (`epoch:offset`). */
export interface StateSnapshot<V = unknown> {
  readonly state: V;
  readonly position: string;
}

/** Parameters of `$/state`: exactly one of `patch` and `state`. `room` and `position` are siblings of `params`. */
export type StateChange =
  /** A merge patch (RFC 7396) from the state at the preceding position. */
  | { readonly patch: unknown; readonly state?: never }
  /** Replaces the client's copy: a snapshot, or a change whose patch is larger than the state. */
  | { readonly state: unknown; readonly patch?: never };

/** How clients of SignalR get a room's state. */
export interface StateNames {
  /** The client method for a snapshot: `(room, state, position)` … */
  readonly snapshot: string;
  /** … and that for a change: `(room, patch, position)`. */
  readonly patch: string;
}

export const STATE_NAMES: StateNames = { snapshot: "RoomState", patch: "RoomPatch" };

/** Parameters of `$/run`. */
export interface RunParams {
  /** Default: the connection's own room, if it has one of the stateful kind. */
  readonly room?: string;
  readonly action: string;
  /** Arguments in their order. Default: none. */
  readonly params?: readonly unknown[];
  /**
   * Runs repeated by one user with the same key are executed once, and get the first one's answer. Default: the key of
   * the frame itself.
   */
  readonly idempotencyKey?: string;
  /** Run only if the room is still at this position (`conflict` otherwise). */
  readonly at?: string;
}

/** The answer to `$/run`. A call of an action by its name is answered with `result` alone. */
export interface RunAnswer {
  /** `null` if the action returns nothing. */
  readonly result: unknown;
  /** All effects of the action are at or before this position. */
  readonly position: string;
  /** Whether this is the answer of an earlier run with the same key. */
  readonly repeated: boolean;
}

/** A run that a room has scheduled. */
export interface ScheduledAction {
  readonly id: string;
  readonly action: string;
  readonly args: readonly unknown[];
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The period: seconds, or five cron fields. */
  readonly every?: number | string;
  /** The originally planned time, if a periodic run has failed, or the action is missing in this deploy. */
  readonly planned?: number;
  /** How often it has failed; after five times it is kept, and not run again. */
  readonly failures: number;
}

/** The method of notifications with a `StateChange`, and the target of their entries in the log. */
export const STATE_TARGET = "$/state";
