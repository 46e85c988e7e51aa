// The API in which users declare the members of hubs: method, stream, action, streamOf, authorize. Declarations are
// plain data; the dispatcher runs them. The hub itself is declared by hub-definition.ts.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { guardedAction, type Action, type ActionRun, type Plain } from "./action-definition.ts";
import type { StateDeclaration } from "./action-definition.ts";
import type { Filter } from "./filters.ts";
import type { Arg, Input, Received } from "./hub-arguments.ts";
import type { HubSettings } from "./hub-settings.ts";
import { anyone, type Awaitable, type Policy } from "./policies.ts";
import type { RoomTypes } from "./state-options.ts";
import type { ContextOf } from "./stateful-room.ts";

export { streamOf } from "./hub-arguments.ts";
export type { Answers, HubOptions, HubSettings } from "./hub-settings.ts";
export type { Arg, Received, StreamArg } from "./hub-arguments.ts";

/** Carries the type of a hub's clients, which hubs with more client methods fit; no value has this member. */
declare const client: unique symbol;

/** Hub code that runs a call: its context, then the call's validated arguments. */
export type Handler<C, A extends readonly Arg[], R> = (
  context: ContextOf<C>,
  ...args: Received<A>
) => R;

/** A method: its caller gets one result, or none. */
export interface Method<C, A extends readonly Arg[], F extends Handler<C, A, unknown>> {
  readonly [client]?: (clients: C) => void;
  readonly kind: "method";
  readonly args: A;
  readonly policy: Policy;
  readonly handle: F;
  /** The schema of the result. */
  readonly returns?: StandardSchemaV1;
}

/** A stream: its caller gets items until the iterable ends or the call is cancelled. */
export interface Stream<
  C,
  A extends readonly Arg[],
  F extends Handler<C, A, AsyncIterable<unknown>>,
> {
  readonly [client]?: (clients: C) => void;
  readonly kind: "stream";
  readonly args: A;
  readonly policy: Policy;
  readonly handle: F;
  /** The schema of an item. */
  readonly returns?: StandardSchemaV1;
}

/** Any method or stream of a hub with clients `C`. */
export interface HubMember<C> {
  readonly [client]?: (clients: C) => void;
  readonly kind: "method" | "stream";
  readonly args: readonly Arg[];
  readonly policy: Policy;
  // any: handlers of one table have different parameters, and no other type accepts them all.
  readonly handle: (context: ContextOf<C>, ...args: any[]) => unknown;
  /** The schema of the result, or of an item: for documents, and for checks in development. */
  readonly returns?: StandardSchemaV1;
}

/**
 * A declared hub with clients `C`, members `M`, and states `S` that users show in its rooms' presence. `R` and `A` are
 * types and actions of the rooms that have a state.
 */
// any: functions for hubs accept hubs with state as well.
export interface Hub<C, M, S = unknown, R = any, A = any> {
  readonly name: string;
  readonly settings: HubSettings<C>;
  readonly members: M;
  readonly filters: readonly Filter<C>[];
  /** The schema of the states. Absent: any JSON value. */
  readonly presenceState?: StandardSchemaV1<any, S>;
  /** Carries types; no hub has this member. */
  readonly roomTypes?: R;
  /** Carries types; no hub has this member. */
  readonly actionTypes?: A;
  /** The rooms that have a state. Absent: none. */
  readonly stateful?: StateDeclaration;
}

// any: one list holds hubs with different client interfaces.
export type AnyMember = HubMember<any>;
/** A hub of any type, for the dispatcher and for `serve`. */
export type AnyHub = Hub<any, Record<string, HubMember<any>>, any>;

/** Constructors of hub members with results (or items) `T`: a schema for each argument, then the handler. */
export interface MemberFactories<T = unknown> {
  /** Declares a method, like the function `method`. */
  method<C, const A extends readonly Arg[], F extends Handler<C, A, Awaitable<T>>>(
    args: A,
    handle: F,
  ): Method<C, A, NoInfer<F>>;
  /** Declares a stream, like the function `stream`. */
  stream<C, const A extends readonly Arg[], F extends Handler<C, A, AsyncIterable<T>>>(
    args: A,
    handle: F,
  ): Stream<C, A, NoInfer<F>>;
  /** Declares an action, like the function `action`. */
  action<R extends RoomTypes, const A extends readonly Plain[], F extends ActionRun<R, A, T>>(
    args: A,
    handle: F,
  ): Action<R, A, NoInfer<F>>;
}

/** Constructors of members whose results may be declared. */
export interface MemberDeclarations extends MemberFactories {
  /**
   * Declares the result, or each item of a stream, by a schema: handlers have its input type. Results are sent as they
   * are; in development one that the schema refuses fails the call with `invalid_result`.
   */
  returns<S extends StandardSchemaV1>(schema: S): MemberFactories<Input<S>>;
}

/** `authorize(policy).method(…)`: as `method`, but calls that the policy refuses fail with `forbidden`. */
export const authorize = (policy: Policy): MemberDeclarations => ({
  ...factories({ policy }),
  returns: (schema) => factories({ policy, returns: schema }),
});

const factories = (common: Pick<AnyMember, "policy" | "returns">): MemberFactories<any> => ({
  method: (args, handle) => ({ kind: "method", args, handle, ...common }),
  stream: (args, handle) => ({ kind: "stream", args, handle, ...common }),
  action: (args, handle) => ({ ...guardedAction(common.policy, args, handle), ...common }),
});

/** Members without a policy of their own; the hub's `authorize` applies to them all the same. */
const open = authorize(anyone);

/**
 * Declares a method: a schema for each argument, of any library with Standard Schema, then the handler. Arguments are
 * validated before it runs, and its caller gets what it returns.
 *
 * @example
 * say: method([z.string()], async ({ clients, user }, text) => clients.group("lobby").said(user.id, text)),
 */
export const method = open.method;

/**
 * Declares a stream, like `method`: its handler returns an iterable, whose items the caller gets one by one. `signal`
 * of its context is aborted when the caller cancels.
 */
export const stream = open.stream;

/**
 * Declares the result of a method or action, or each item of a stream, by a schema: for documents of the hub
 * (`rpc.discover`) and clients that are written from them. In development it is validated as well.
 *
 * @example
 * add: returns(z.number()).method([z.number(), z.number()], (_context, a, b) => a + b),
 */
export const returns = open.returns;
