// Presence of a room for other objects and clients.

import { ownCopy } from "../../model/plain-json.ts";
import { toJson } from "../../protocols/json.ts";

/** A user who is present, with the state that one of their connections tracks. */
export interface Present {
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly connections: number;
  readonly state: unknown;
}

/** For hub code, which may change it: the room keeps the state itself. */
export const copyOf = (present: Present): Present => ({
  ...present,
  state: ownCopy(present.state),
});

/** A copy of a state that hub code shows, as JSON has it. Throws what `toJson` throws. */
export const shownCopy = (state: unknown): unknown => JSON.parse(toJson(state));

export interface PresenceView {
  readonly users: number;
  readonly connections: number;
  /** At most one page, ordered by user id. Empty if the room has counts only. */
  readonly members: readonly Present[];
  /** Whether more users come after the last of `members`. */
  readonly more: boolean;
}

/** Joins and leaves that were published together, by user id. */
export interface UserChanges {
  readonly joined: readonly string[];
  readonly left: readonly string[];
  /** Trace contexts of the requests of their connections, by user id. Absent if there are none. */
  readonly traces?: ReadonlyMap<string, string>;
}

export interface PresenceQuery {
  /** Users whose id sorts after this one. */
  readonly after?: string;
  readonly limit?: number;
}
