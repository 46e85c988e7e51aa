// Rooms with state in calls between objects: runs of actions, snapshots, and the hub's declaration for one room
// (`StateSpec`), because rooms do not depend on hubs.

import type { Draft as StateDraft } from "../../model/draft.ts";
import type { ScheduledAction as Scheduled } from "../../model/state-wire.ts";
import type { Position, RoomKind, Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import type { Draft } from "./log-entry.ts";
import type { Present } from "./presence-view.ts";

export type { ScheduledAction as Scheduled } from "../../model/state-wire.ts";
export type { Snapshot } from "./log-entry.ts";

/** An action to run in a room. The calling side has authorised the caller, and has not validated the arguments. */
export interface Run {
  readonly action: string;
  /** The text of one JSON array. */
  readonly args: string;
  /** Absent: hub code or the clock runs an internal action. */
  readonly user?: User;
  /** Id of the caller's connection. */
  readonly connection?: string;
  /** A run with the key of an earlier one is not done again, and gets the same answer. */
  readonly key?: string;
  /** Run only if the room is still at this position. */
  readonly at?: Position;
  /** Trace context of the request that caused it. */
  readonly trace?: string;
  /**
   * The protocol of a SignalR client, whose arguments may have member names in another case. Objects with older code
   * send `true`, which is read as JSON.
   */
  readonly anyCase?: "json" | "msgpack";
}

export interface RunResult {
  /** JSON text; `null` if the action returns nothing. */
  readonly result: string;
  /** All effects of the action are at or before this position. */
  readonly position: Position;
  readonly repeated: boolean;
}

/** A value of a row in SQLite; bytes as base64. */
export type StoredValue = string | number | null | { readonly base64: string };
export type StoredRow = Readonly<Record<string, StoredValue>>;

/** The most bytes of a document: half of the platform's limit for a call between objects. */
export const EXPORT_BYTES = 16 * 1024 * 1024;

/** A room as a document. */
export interface ExportedState {
  /** The version of the hub's state: its number of migrations plus one. */
  readonly version: number;
  /** The room's position, `epoch:offset`. */
  readonly position: string;
  readonly state: unknown;
  readonly schedule: readonly Scheduled[];
  /** Rows of the room's own tables. */
  readonly tables: Readonly<Record<string, readonly StoredRow[]>>;
}

/** A publication in another room, or in `all`. */
export interface Outgoing {
  readonly topic: Topic;
  readonly draft: Draft;
}

/** The platform's `SqlStorageValue`: tests of hubs compile without its types. */
type SqlValue = ArrayBuffer | string | number | null;

/** The effects of one action so far; dropped as a whole if it throws. */
export interface Turn {
  readonly draft: StateDraft<unknown>;
  /** The state before the action. */
  readonly was: unknown;
  readonly room: Topic;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly key: string;
  readonly present: readonly Present[];
  readonly scheduled: readonly Scheduled[];
  /** Publishes in this room or another. Throws `too_large`, `invalid_request`, `rate_limited`. */
  publish(topic: Topic, draft: Draft): void;
  /** Replaces the scheduled action with this id; undefined cancels it. Throws `too_large`. */
  schedule(id: string, scheduled: Scheduled | undefined): void;
  sql(query: string, values: readonly SqlValue[]): readonly object[];
}

export interface SavedState {
  /** Undefined: the room was erased. */
  readonly state: unknown;
  readonly position: Position;
}

/** A hub's declaration of its rooms' state, for one room. States are plain JSON. */
export interface StateSpec {
  readonly kind: RoomKind;
  /** The hub and its room, for the log. */
  readonly about: { readonly hub: string; readonly room: string };
  /** The number of migrations plus one. */
  readonly version: number;
  /** SQL of the room's own tables, in order. */
  readonly tables: readonly string[];
  readonly updatesPerSecond: number | undefined;
  /** Whether the state is validated after each action. */
  readonly checksActions: boolean;
  readonly loadSeconds: number;
  readonly saveSeconds: number;
  initial(): unknown;
  /** Migrates a stored state to the present version. Throws errors of a migration. */
  migrate(stored: unknown, version: number): unknown;
  /** The output of the schema for the state; the same object if that is equal. Throws `invalid_state`. */
  check(state: unknown): unknown;
  /** The view that clients see; returns the state itself if they see all. Undefined: they see nothing. */
  readonly view: ((state: unknown) => unknown) | undefined;
  /** Undefined if the hub does not load states from elsewhere. */
  readonly load: (() => Promise<unknown>) | undefined;
  readonly save: ((saved: SavedState) => Promise<void>) | undefined;
  /** The output of the schemas for the arguments; may wait. Throws `method_not_found`, `invalid_arguments`. */
  prepare(run: Pick<Run, "action" | "args" | "user" | "anyCase">): Promise<readonly unknown[]>;
  /** Runs the action, synchronously. Throws the action's error. */
  apply(run: Run, args: readonly unknown[], turn: Turn): unknown;
  /** The time after a planned one. Throws for a text or number that is neither a period nor cron. */
  next(every: number | string, planned: number, now: number): number;
}
