// A room's state on the wire of JSON-RPC. The other protocols carry the same values under names of their own.
//
// - On a room's own socket the snapshot is `state` in `$/connected`, next to `position`. It is absent where the replay
//   has the changes instead, which then are fewer bytes, and in rooms whose clients see no state.
// - On a hub's socket `$/state` has it, with `room` and `position`, before anything else of the room: before the answer
//   to `$/join` and before entries that follow it.
// - After it, each `$/state` is one change, numbered like a message. A snapshot in its place replaces the copy.
// - One frame has change, messages and answer of an action, in this order.

/** A room's state as its clients see it, where the room stood then. `epoch:offset`. */
export interface StateSnapshot<V = unknown> {
  readonly state: V;
  readonly position: string;
}

/** Parameters of `$/state`; `room` and `position` are beside them. Exactly one of both. */
export type StateChange =
  /** A merge patch (RFC 7396) from the state at the position before. */
  | { readonly patch: unknown; readonly state?: never }
  /** In place of the copy: a snapshot, or a change whose patch is larger than the state. */
  | { readonly state: unknown; readonly patch?: never };

/** How clients of SignalR get a room's state. */
export interface StateNames {
  /** The client method for a snapshot: `(room, state, position)` … */
  readonly snapshot: string;
  /** … and that for a change: `(room, patch, position)`. */
  readonly patch: string;
}

export const STATE_NAMES: StateNames = { snapshot: "RoomState", patch: "RoomPatch" };

/** Parameters of `$/run`. Members of the frame itself (`idempotencyKey`) are not looked at. */
export interface RunParams {
  /** Default: the connection's own room, where it has one of the stateful kind. */
  readonly room?: string;
  readonly action: string;
  /** Arguments in their order. Default: none. */
  readonly params?: readonly unknown[];
  /** Runs repeated under one key, by one user, are done once, and answered as the first was. */
  readonly idempotencyKey?: string;
  /** Only where the room still stands here (`conflict` otherwise). */
  readonly at?: string;
}

/** The answer to `$/run`. A call of an action by its name is answered with `result` alone. */
export interface RunAnswer {
  /** `null` where the action returns nothing. */
  readonly result: unknown;
  /** Everything that the action did is at or before this position. */
  readonly position: string;
  /** Whether an earlier run under this key is answered. */
  readonly repeated: boolean;
}

/** A run that a room has scheduled. */
export interface ScheduledAction {
  readonly id: string;
  readonly action: string;
  readonly args: readonly unknown[];
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Seconds, or five fields of cron. */
  readonly every?: number | string;
  /** Of a period that has failed, or an action that this deploy lacks: the time that was planned, before attempts. */
  readonly planned?: number;
  /** How often it has failed; after five times it is kept, and not run again. */
  readonly failures: number;
}

/** The method of notifications with a `StateChange`, and the target of their entries in the log. */
export const STATE_TARGET = "$/state";
