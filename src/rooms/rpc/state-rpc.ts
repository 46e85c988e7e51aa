// Rooms with state as objects talk about them: runs of actions, snapshots, and what a room knows of its hub's
// declarations (`StateSpec`), since rooms know no hubs.

import type { Draft as StateDraft } from "../../model/draft.ts";
import type { ScheduledAction as Scheduled } from "../../model/state-wire.ts";
import type { Position, RoomKind, Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import type { Draft } from "./log-entry.ts";
import type { Present } from "./presence-view.ts";

export type { ScheduledAction as Scheduled } from "../../model/state-wire.ts";
export type { Snapshot } from "./log-entry.ts";

/** An action to be run in a room. The caller was authorised where it came from; the arguments were not validated. */
export interface Run {
  readonly action: string;
  /** The text of one JSON array. */
  readonly args: string;
  /** Absent: hub code or the clock runs an internal action. */
  readonly user?: User;
  /** Id of the caller's connection. */
  readonly connection?: string;
  /** Run twice under one key, it is done once, and answered alike. */
  readonly key?: string;
  /** Only where the room still stands here. */
  readonly at?: Position;
  /** Trace context of the request that it came of. */
  readonly trace?: string;
  /**
   * The protocol of a SignalR client: members of arguments may be in another case. An object of an older version says
   * `true`, which is read as JSON.
   */
  readonly anyCase?: "json" | "msgpack";
}

export interface RunResult {
  /** JSON text; `null` where the action returns nothing. */
  readonly result: string;
  /** Everything that the action did is at or before this. */
  readonly position: Position;
  readonly repeated: boolean;
}

/** A value of a row: as SQLite has it, bytes as base64. */
export type StoredValue = string | number | null | { readonly base64: string };
export type StoredRow = Readonly<Record<string, StoredValue>>;

/** Bytes of a document: half of what a call between objects takes. */
export const EXPORT_BYTES = 16 * 1024 * 1024;

/** A room as a document. */
export interface ExportedState {
  /** Of the hub's state: one more than it had migrations. */
  readonly version: number;
  /** `epoch:offset`, where the room stood. */
  readonly position: string;
  readonly state: unknown;
  readonly schedule: readonly Scheduled[];
  /** Rows of the room's own tables. */
  readonly tables: Readonly<Record<string, readonly StoredRow[]>>;
}

/** A publication in another room, or for everybody. */
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
  /** Replaces what is scheduled under the id; undefined cancels it. Throws `too_large`. */
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
  /** One more than there are migrations. */
  readonly version: number;
  /** SQL of the room's own tables, in order. */
  readonly tables: readonly string[];
  readonly updatesPerSecond: number | undefined;
  /** Whether the state is validated after each action. */
  readonly checksActions: boolean;
  readonly loadSeconds: number;
  readonly saveSeconds: number;
  initial(): unknown;
  /** From a stored version to this one. Throws what a migration throws. */
  migrate(stored: unknown, version: number): unknown;
  /** The state as the schema gives it; the same object where that is equal. Throws `invalid_state`. */
  check(state: unknown): unknown;
  /** The view that clients see; the state itself where they see all. Undefined: they see nothing. */
  readonly view: ((state: unknown) => unknown) | undefined;
  /** Undefined where no state lives elsewhere. */
  readonly load: (() => Promise<unknown>) | undefined;
  readonly save: ((saved: SavedState) => Promise<void>) | undefined;
  /** The arguments as the schemas give them; may wait. Throws `method_not_found`, `invalid_arguments`. */
  prepare(run: Pick<Run, "action" | "args" | "user" | "anyCase">): Promise<readonly unknown[]>;
  /** The action itself: nothing in it waits. Throws what the action throws. */
  apply(run: Run, args: readonly unknown[], turn: Turn): unknown;
  /** When a schedule is next due, after a time that it was planned for. Throws for what is neither period nor cron. */
  next(every: number | string, planned: number, now: number): number;
}
