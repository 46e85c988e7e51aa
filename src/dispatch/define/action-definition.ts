// Declarations of actions: synchronous code that runs inside of the room's object.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { GivesItems } from "../../model/iterables.ts";
import type { RoomKind } from "../../model/topic.ts";
import type { ActionContext, InternalContext } from "./action-context.ts";
import type { Received } from "./hub-arguments.ts";
import type { Without } from "./one-result.ts";
import { anyone, type Policy } from "./policies.ts";
import type { RoomTypes, StateOptions } from "./state-options.ts";

/** Carries the types of the room; no value has this member. */
declare const room: unique symbol;

/** Actions take values, no streams. */
export type Plain = StandardSchemaV1;

/** The handler of an action: its context, then the validated arguments. Synchronous. */
export type ActionRun<R extends RoomTypes, A extends readonly Plain[], T = unknown> = (
  context: ActionContext<R>,
  ...args: Received<A>
) => T;

/** The handler of an internal action, likewise. */
export type InternalRun<R extends RoomTypes, A extends readonly Plain[]> = (
  context: InternalContext<R>,
  ...args: Received<A>
) => unknown;

/** An action that clients and services run. */
export interface Action<
  R extends RoomTypes,
  A extends readonly Plain[],
  F extends ActionRun<R, A>,
> {
  readonly [room]?: (types: R) => void;
  readonly kind: "action";
  readonly args: A;
  readonly policy: Policy;
  readonly handle: F;
}

/** An action without a caller: the clock, hooks, methods and other hub code run it. */
export interface Internal<
  R extends RoomTypes,
  A extends readonly Plain[],
  F extends InternalRun<R, A>,
> {
  readonly [room]?: (types: R) => void;
  readonly kind: "internal";
  readonly args: A;
  readonly handle: F;
}

/** Any action of a room with these types. */
export interface ActionOf<R extends RoomTypes> {
  readonly [room]?: (types: R) => void;
  readonly kind: "action";
  readonly args: readonly Plain[];
  readonly returns?: Plain;
  readonly policy: Policy;
  // any: handlers of one table have different parameters, and no other type accepts them all.
  readonly handle: (context: ActionContext<R>, ...args: any[]) => unknown;
}

export interface InternalOf<R extends RoomTypes> {
  readonly [room]?: (types: R) => void;
  readonly kind: "internal";
  readonly args: readonly Plain[];
  readonly handle: (context: InternalContext<R>, ...args: any[]) => unknown;
}

/** Any action, for the dispatcher. */
export interface AnyAction {
  readonly kind: "action" | "internal";
  readonly args: readonly Plain[];
  readonly returns?: Plain;
  readonly policy?: Policy;
  readonly handle: (context: any, ...args: any[]) => unknown;
}

/** A hub's declaration of its rooms with state, for the dispatcher. */
export interface StateDeclaration {
  readonly kind: RoomKind;
  // any: one list holds hubs with states of every type.
  readonly options: StateOptions<any, any, any>;
  readonly internal: Readonly<Record<string, AnyAction>>;
  readonly actions: Readonly<Record<string, AnyAction>>;
}

/** Refuses actions that return a promise, which only a method may, or items, which only a stream may. */
export type Immediate<M> = {
  readonly [K in keyof M]: M[K] extends { readonly handle: (...args: any[]) => infer T }
    ? Without<
        T,
        PromiseLike<unknown>,
        "An action is synchronous: await in a method, then run the action."
      > &
        Without<T, GivesItems, "An action returns one result, not items.">
    : unknown;
};

/** An action with a policy of its own. */
export const guardedAction = <
  R extends RoomTypes,
  const A extends readonly Plain[],
  F extends ActionRun<R, A>,
>(
  policy: Policy,
  args: A,
  handle: F,
): Action<R, A, NoInfer<F>> => ({ kind: "action", args, handle, policy });

/** An action that clients and services run: a schema for each argument, then the handler. */
export const action = <
  R extends RoomTypes,
  const A extends readonly Plain[],
  F extends ActionRun<R, A>,
>(
  args: A,
  handle: F,
): Action<R, A, NoInfer<F>> => guardedAction(anyone, args, handle);

/** An action that has no caller. */
export const internal = <
  R extends RoomTypes,
  const A extends readonly Plain[],
  F extends InternalRun<R, A>,
>(
  args: A,
  handle: F,
): Internal<R, A, NoInfer<F>> => ({ kind: "internal", args, handle });
