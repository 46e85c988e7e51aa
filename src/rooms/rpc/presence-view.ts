// Presence of a room as other objects and clients read it.

/** A user who is present, with the state that one of their connections tracks. */
export interface Present {
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly connections: number;
  readonly state: unknown;
}

/** For hub code, which may change it: the room keeps the state itself. */
export const copyOf = (present: Present): Present =>
  typeof present.state === "object"
    ? { ...present, state: structuredClone(present.state) }
    : present;

export interface PresenceView {
  readonly users: number;
  readonly connections: number;
  /** At most one page, ordered by user id. Empty where the room keeps counts only. */
  readonly members: readonly Present[];
  /** More users come after the last of `members`. */
  readonly more: boolean;
}

/** Joins and leaves that were published together, by user id. */
export interface UserChanges {
  readonly joined: readonly string[];
  readonly left: readonly string[];
  /** Of users whose connection had one: the trace context of the request that it came of. Absent where nobody's had. */
  readonly traces?: ReadonlyMap<string, string>;
}

export interface PresenceQuery {
  /** Users whose id sorts after this one. */
  readonly after?: string;
  readonly limit?: number;
}
