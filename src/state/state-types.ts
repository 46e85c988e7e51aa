// Types of a room's state as clients hold it.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { ActionsOf, ViewOf } from "../dispatch/define/hub-types.ts";
import type { Runs } from "../dispatch/define/stateful-room.ts";
import type { Listener, Unsubscribe } from "../client/platform/emitter.ts";
import type { CallOptions } from "../client/session/pending-calls.ts";

/**
 * Functions that predict the effects of actions: each changes a copy of the state that clients see. It may run many
 * times, and must change nothing else. A guess that throws is left out.
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
  /** Optimistic updates, by action: shown at once, and taken back if the action is refused. */
  readonly guesses?: Guesses<H> | undefined;
}

/** Options of a run of an action. */
export interface RunOptions extends CallOptions {
  /** A position: the action runs only if the room is still there, and is refused with `conflict` otherwise. */
  readonly at?: string | undefined;
}

/** The state of one room, kept up to date. */
export interface RoomState<H extends AnyHub> {
  /**
   * The confirmed state, with the guesses of pending actions on top. Undefined before the first snapshot. A change
   * makes a new object, in which all unchanged parts are the same objects as before.
   */
  readonly state: ViewOf<H> | undefined;
  /** The state that the server has confirmed, without guesses. */
  readonly confirmed: ViewOf<H> | undefined;
  /** The position of `confirmed`, `epoch:offset`. */
  readonly position: string | undefined;
  /** The number of actions that are neither confirmed nor refused. */
  readonly pending: number;
  /**
   * Calls the listener with the present state, if there is one, and after every change: once for all changes that
   * arrived together, and after the handlers of the messages among them.
   */
  onState(listener: Listener<ViewOf<H>>): Unsubscribe;
  /**
   * Runs an action. Resolves when it is durable and `confirmed` has its effects; rejects with the action's error. Every
   * run has a key: it is sent again after a lost connection, and executed once.
   */
  readonly run: Runs<ActionsOf<H>>;
  /** The same with the application's own key, an abort signal, a time limit, or a position as a condition. */
  with(options: RunOptions): Pick<RoomState<H>, "run">;
}
