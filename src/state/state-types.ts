// Types of a room's state as clients hold it.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { ActionsOf, ViewOf } from "../dispatch/define/hub-types.ts";
import type { Runs } from "../dispatch/define/stateful-room.ts";
import type { Listener, Unsubscribe } from "../client/platform/emitter.ts";
import type { CallOptions } from "../client/session/pending-calls.ts";

/**
 * What an action will do, as a change of a copy of what clients see. It may run many times, and only changes the copy.
 * A guess that throws shows nothing.
 */
export type Guesses<H extends AnyHub> = {
  readonly [K in keyof ActionsOf<H>]?: (
    state: Mutable<ViewOf<H>>,
    ...args: Parameters<Runs<ActionsOf<H>>[K]>
  ) => void;
};
type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

/** Options of a connection that keeps a copy of states. */
export interface StateOptions<H extends AnyHub> {
  /** Optimistic updates, by action: shown at once, and taken back where the action is refused. */
  readonly guesses?: Guesses<H> | undefined;
}

/** Options of a run of an action. */
export interface RunOptions extends CallOptions {
  /** A position: the action runs only where the room still stands there, and is refused with `conflict` otherwise. */
  readonly at?: string | undefined;
}

/** The state of one room, kept up to date. */
export interface RoomState<H extends AnyHub> {
  /**
   * What the server has confirmed, with the guesses of open actions on top. Undefined before the first snapshot. A
   * change makes another object, in which everything that did not change is the same object as before.
   */
  readonly state: ViewOf<H> | undefined;
  /** Without guesses. */
  readonly confirmed: ViewOf<H> | undefined;
  /** Where `confirmed` stands, `epoch:offset`. */
  readonly position: string | undefined;
  /** Actions that are neither confirmed nor refused. */
  readonly pending: number;
  /**
   * Calls the listener with the state as it is, if there is one, and after every change: once for all that arrived
   * together, and behind the handlers of the messages in it.
   */
  onState(listener: Listener<ViewOf<H>>): Unsubscribe;
  /**
   * Runs an action. Resolves when it is durable and `confirmed` has its effects; rejects with the action's error. Every
   * run has a key: it is sent again after a lost connection, and done once.
   */
  readonly run: Runs<ActionsOf<H>>;
  /** The same with a key of the application's own, an abort signal, a time limit, or a position to run at. */
  with(options: RunOptions): Pick<RoomState<H>, "run">;
}
