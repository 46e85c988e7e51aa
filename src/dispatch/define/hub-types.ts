// The types of a hub for its clients: arguments in their input types, results in their wire types. Types only, so that
// browser bundles contain no server code.

import type { ClientMethods } from "./client-methods.ts";
import type { Hub, HubMember } from "./hub-definition.ts";
import type { RoomTypes } from "./state-options.ts";
import type { ArgumentsOf, Wire, WireResult } from "./wire-types.ts";

export type { Wire, WireResult } from "./wire-types.ts";

type Members = Record<string, HubMember<any>>;

/** The methods of a hub, as calls that return the result. Bytes in it are `B`, as in `Wire`. */
export type Invokes<M extends Members, B = string> = {
  readonly [K in keyof M as M[K]["kind"] extends "method" ? K : never]: (
    ...args: ArgumentsOf<M[K]>
  ) => Promise<WireResult<Awaited<ReturnType<M[K]["handle"]>>, B>>;
};

/** The methods of a hub, as calls without an answer. */
export type SendMethods<M extends Members> = {
  readonly [K in keyof M as M[K]["kind"] extends "method" ? K : never]: (
    ...args: ArgumentsOf<M[K]>
  ) => void;
};

/** The streams of a hub, as calls that return the items. */
export type Streams<M extends Members, B = string> = {
  readonly [K in keyof M as M[K]["kind"] extends "stream" ? K : never]: (
    ...args: ArgumentsOf<M[K]>
  ) => AsyncIterable<
    ReturnType<M[K]["handle"]> extends AsyncIterable<infer T> ? WireResult<T, B> : never
  >;
};

/** A hub as its clients use it. `invoke` waits for the result; `send` does not, and reports no error of the hub. */
export interface HubCalls<H extends Hub<any, any, any>, B = string> {
  /** Methods as calls that resolve with the result, or reject with a `HubError`: that of the hub, or `interrupted`. */
  readonly invoke: Invokes<H["members"], B>;
  /** Methods as calls without an answer: nothing is known of their effects and errors. */
  readonly send: SendMethods<H["members"]>;
  /** Streams as iterables: `for await` starts the call, and `break` cancels it. */
  readonly stream: Streams<H["members"], B>;
}

/** The interface of a hub's clients, or of declared client methods: the methods that the hub calls on them. */
export type ClientOf<H> =
  H extends Hub<infer C, any, any> ? C : H extends ClientMethods<infer C> ? C : never;

/** The states that users show in the presence of the hub's rooms, in their wire types. */
export type PresenceStateOf<H> = H extends Hub<any, any, infer S> ? Wire<S> : never;

/** The types of the hub's rooms with state; never if it has none. */
export type RoomOf<H> = H extends { readonly roomTypes?: infer R } ? Extract<R, RoomTypes> : never;

/** The view of a room's state that clients have. */
export type ViewOf<H> = Wire<RoomOf<H>["view"]>;

/** The actions that clients and services run, by name. */
export type ActionsOf<H> = H extends { readonly actionTypes?: infer A } ? NonNullable<A> : {};
