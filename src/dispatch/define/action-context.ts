// The contexts of actions, which run inside of their room's object, synchronously.

import type { Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import type { Scheduled } from "../../rooms/rpc/state-rpc.ts";
import type { Member } from "./hub-context.ts";
import type { RoomTypes } from "./state-options.ts";
import type { ArgumentsOf, Callable } from "./wire-types.ts";

/** Calls of client methods that are part of the action's commit, so that there is nothing to wait for. */
export type ActionSends<C> = {
  readonly [K in keyof C]: C[K] extends (...args: infer A) => any ? (...args: A) => void : never;
};

/** The audiences of an action. Messages are sent after its commit, or not at all. */
export interface ActionClients<C> {
  /** All members of this room; numbered and logged after the patch that the same action made. */
  readonly room: ActionSends<C>;
  /** Every connection of the hub. This and what follows is delivered after the commit, at least once and in order. */
  readonly all: ActionSends<C>;
  group(...names: string[]): ActionSends<C>;
  order(...ids: string[]): ActionSends<C>;
  user(...ids: string[]): ActionSends<C>;
  /** The same audiences without these connections. */
  except(...connectionIds: string[]): ActionClients<C>;
}

/** A value that hub code may read and not change, at any depth. */
export type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

/** A value in a room's own tables. */
export type SqlValue = string | number | null | Uint8Array;

/**
 * The room's own tables: sql`SELECT * FROM bids WHERE amount > ${100}`. Values are bound, never spliced. Writes of an
 * action are rolled back with it. An action that writes SQL is committed alone, not together with others of a flush.
 */
export type ActionSql = <Row extends object = Record<string, SqlValue>>(
  text: TemplateStringsArray,
  ...values: readonly SqlValue[]
) => readonly Row[];

/** Internal actions as calls, each of which schedules the action with its arguments. */
export type Scheduling<I> = {
  readonly [K in keyof I]: I[K] extends Callable ? (...args: ArgumentsOf<I[K]>) => void : never;
};

/** The room's schedule: internal actions that run later, also if the room sleeps until then. */
export interface Schedule<I> {
  /**
   * Runs it once, so many seconds from now. One that was scheduled before under this id (default: the action's name)
   * is replaced. Milliseconds count in an object that is awake; a wake by alarm may be seconds late.
   */
  in(seconds: number, id?: string): Scheduling<I>;
  /** The same at a time: a Date, or milliseconds since 1970. */
  at(time: Date | number, id?: string): Scheduling<I>;
  /** Again and again, by seconds or in five fields of cron, in UTC. Missed runs are made up once. */
  every(period: number | string, id?: string): Scheduling<I>;
  /** Cancels what is scheduled under this id, if anything is. */
  cancel(id: (keyof I & string) | (string & {})): void;
  /** What is scheduled. */
  readonly pending: readonly Scheduled[];
}

/** The context of code inside the room. One action runs to its end, then the next. */
export interface InternalContext<R extends RoomTypes> {
  /** A draft: change it in place, or assign another value. It is dropped as a whole if the action throws. */
  state: R["state"];
  /** The state before the action: a plain value, for loops over much of it. A draft costs ten times as much to read. */
  readonly was: Frozen<R["state"]>;
  readonly clients: ActionClients<R["client"]>;
  readonly schedule: Schedule<R["internal"]>;
  readonly sql: ActionSql;
  readonly room: Topic;
  /** The users in the room, ordered by user id. Empty unless the hub's `presence` is `users`. */
  readonly present: readonly Member[];
  /** Milliseconds since 1970, the same throughout the action. */
  readonly now: number;
  /** The key of this run: the same when it is repeated. Ids derived from it stay the same as well. */
  readonly key: string;
  /**
   * Trace context (`traceparent` of W3C) of the connection or the service's request that runs it; undefined for a
   * scheduled run. Publications of the action have it, too.
   */
  readonly trace: string | undefined;
}

/** The context of an action that clients and services run. */
export interface ActionContext<R extends RoomTypes> extends InternalContext<R> {
  /** The caller; a service has the role `service`. */
  readonly user: User;
  /** Undefined if a service runs it. */
  readonly connectionId: string | undefined;
}
