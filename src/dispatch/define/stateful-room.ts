// Rooms with state for hub code outside of them: in methods and hooks.

import type { Position } from "../../model/topic.ts";
import type { HubContext, MemberContext, Room, RoomContext, RoomView } from "./hub-context.ts";
import type { Awaitable } from "./policies.ts";
import type { RoomTypes } from "./state-options.ts";
import type { ArgumentsOf, Callable, Wire, WireResult } from "./wire-types.ts";

/** A room's actions as calls. Each resolves when it is durable, and its messages were sent to the room's members. */
export type Runs<A> = {
  readonly [K in keyof A]: A[K] extends Callable
    ? (...args: ArgumentsOf<A[K]>) => Promise<WireResult<ReturnType<A[K]["handle"]>>>
    : never;
};

/** A room with a state, for code of methods, hooks and services. */
export interface StatefulRoom<R extends RoomTypes, A> {
  /** The state and the room's position; a call to its object, unless the code runs there. */
  state(): Promise<{ readonly state: Wire<R["state"]>; readonly position: Position }>;
  readonly run: Runs<A>;
  /** Internal actions, which hub code may run. */
  readonly internal: Runs<R["internal"]>;
  /** Loads the state again, and sends clients the difference. Without `load`, does nothing. */
  reload(): Promise<Position>;
}

/** `order("42").run.ship("DHL")`: rooms of the stateful kind have it. */
type Reach<R extends RoomTypes, A> = R["kind"] extends "order"
  ? { order(id: string): Room & StatefulRoom<R, A> }
  : R["kind"] extends "group"
    ? { group(name: string): Room & StatefulRoom<R, A> }
    : {
        /** The caller's own room. */
        readonly own: StatefulRoom<R, A>;
      };

/** The member that `Reach` replaces; not `user`, which is the caller. */
type Reached<R extends RoomTypes> = Exclude<R["kind"], "user">;

/** `HubContext` in a hub whose rooms have a state: its rooms also have `state()`, `run` and `internal`. */
export type StatefulContext<C, R extends RoomTypes, A> = Omit<HubContext<C>, Reached<R>> &
  Reach<R, A>;

/** `Reach` for hooks of rooms, which have no user, and so no `run`. */
type RoomReach<R extends RoomTypes> = R["kind"] extends "order"
  ? { order(id: string): RoomView & Omit<StatefulRoom<R, {}>, "run"> }
  : R["kind"] extends "group"
    ? { group(name: string): RoomView & Omit<StatefulRoom<R, {}>, "run"> }
    : {};

/** The hooks of `HubOptions`, whose contexts reach the rooms' states. */
export interface StatefulHooks<C, R extends RoomTypes, A> {
  connected?(context: StatefulContext<C, R, A>): Awaitable<void>;
  disconnected?(context: StatefulContext<C, R, A>, error?: Error): Awaitable<void>;
  joined?(context: Omit<MemberContext<C>, Reached<R>> & RoomReach<R>): Awaitable<void>;
  left?(context: Omit<MemberContext<C>, Reached<R>> & RoomReach<R>): Awaitable<void>;
  presenceChanged?(context: Omit<RoomContext<C>, Reached<R>> & RoomReach<R>): Awaitable<void>;
}

/** Carries the types of a hub with state, as its client type `C`; no value has this member. */
declare const stateful: unique symbol;

/** The clients `C` of a hub whose rooms have the types `R` and the actions `A`. */
export interface WithState<C, R, A> {
  readonly [stateful]: readonly [C, R, A];
}

/** The context of a call of a hub with clients `C`. */
export type ContextOf<C> = 0 extends 1 & C
  ? any
  : C extends WithState<infer D, infer R, infer A>
    ? StatefulContext<D, R & RoomTypes, A>
    : HubContext<C>;
