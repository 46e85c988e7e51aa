// Types of `callingRoom`: its options and its result.

import type { User } from "../../model/user.ts";
import type { Scheduled } from "../../rooms/rpc/state-rpc.ts";
import type { AnyHub } from "../define/hub-definition.ts";
import type { ActionsOf, RoomOf, ViewOf } from "../define/hub-types.ts";
import type { Runs } from "../define/stateful-room.ts";
import type { TestEnv } from "./calling-types.ts";
import type { Sending } from "./recording.ts";

/** A database of the test's own, such as `new DatabaseSync(":memory:")` of `node:sqlite`. */
export interface TestDatabase {
  exec(sql: string): void;
  prepare(sql: string): { all(...values: unknown[]): unknown[] };
}

/** The initial room of a test, and its caller. */
export interface RoomSetting<H extends AnyHub> {
  readonly user?: Partial<User> | null;
  /** A topic of the stateful kind. Default: its kind and `test`. */
  readonly room?: string;
  /** The state instead of `initial` and `load`; it is validated. */
  readonly state?: RoomOf<H>["state"];
  /** Milliseconds since 1970. Default: 0. */
  readonly now?: number;
  /** A state of an earlier version, instead of `state`: it is migrated first. A later version throws `state_newer`. */
  readonly stored?: { readonly version: number; readonly state: unknown };
  /** The users in the room. */
  readonly present?: readonly string[];
  /** Bindings, for policies, `load` and `save`. */
  readonly env?: TestEnv;
  /** The database in which the room's `tables` are created; writes of a failing action are rolled back. */
  readonly database?: TestDatabase;
  /** In place of a database: the rows of a statement. Default: `sql` throws. */
  readonly sql?: (query: string, values: readonly unknown[]) => readonly object[];
}

/** The room with a state whose actions a test calls. */
export interface CalledRoom<H extends AnyHub> {
  /** The same room as another caller. */
  as(user: Partial<User>): CalledRoom<H>;
  /**
   * Runs an action. Rejects with `forbidden`, `invalid_arguments`, `invalid_state`, or the action's error; nothing has
   * changed then.
   */
  readonly run: Runs<ActionsOf<H>>;
  readonly internal: Runs<RoomOf<H>["internal"]>;
  /** The whole state. Throws if the hub loads it and no action has run yet. */
  readonly state: RoomOf<H>["state"];
  readonly view: ViewOf<H>;
  /** Patches to clients, one for each change: RFC 7396. */
  readonly patches: readonly unknown[];
  readonly sent: readonly Sending[];
  /** Scheduled actions in the order of their times. */
  readonly scheduled: readonly Scheduled[];
  /**
   * Advances the clock, and runs due work in its order: scheduled actions, and `save`. A failure is tried again after
   * the pauses of the server, and does not affect other work. At the end the promise rejects with the first failure.
   */
  advance(seconds: number): Promise<void>;
}
