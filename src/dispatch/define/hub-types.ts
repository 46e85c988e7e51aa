// The types of a hub as clients see it: arguments in their input types, results in their wire types. Types only, so
// that browser bundles contain nothing of the server.

import type { Arg, Input, StreamArg } from "./hub-arguments.ts";
import type { Hub, HubMember } from "./hub-definition.ts";

type Members = Record<string, HubMember<any>>;

/**
 * The arguments that a caller sends: the schemas' input types, under the handler's parameter names (for editors). The
 * names are lost if the handler has fewer parameters than schemas.
 */
type ArgumentsOf<M extends HubMember<any>> = NamedArguments<
  M["args"],
  M["handle"] extends (context: any, ...args: infer P) => any ? P : []
>;
type NamedArguments<A extends readonly Arg[], P extends readonly unknown[]> = OptionalTail<
  P["length"] extends A["length"]
    ? { [K in keyof P]: K extends keyof A ? ArgumentOf<A[K]> : never }
    : { -readonly [K in keyof A]: ArgumentOf<A[K]> }
>;
/** A stream argument is sent as an async iterable. */
type ArgumentOf<A> = A extends StreamArg<infer S> ? AsyncIterable<Input<S>> : Input<A>;

/** Makes trailing arguments optional if they may be undefined. */
type OptionalTail<T extends readonly unknown[]> = T extends readonly [...infer I, infer X]
  ? undefined extends X
    ? T extends readonly [...I, ...infer L]
      ? [...OptionalTail<I>, ...Partial<L>]
      : never
    : T
  : T;

/**
 * The type of a value after it was sent: as JSON encodes it, so that a Date is a string and functions have no type.
 * Bytes remain bytes. A bigint arrives as a number, which `JSON.parse` rounds beyond 2⁵³.
 */
export type Wire<T> = unknown extends T
  ? T
  : T extends string | number | boolean | null | undefined | void | Uint8Array
    ? T
    : T extends bigint
      ? number
      : T extends ReadonlyMap<infer K, infer V>
        ? { [P in K & (string | number)]: Wire<V> }
        : T extends { toJSON(): infer J }
          ? Wire<J>
          : T extends (...args: any) => any
            ? never
            : { [K in keyof T]: Wire<T[K]> };

/** The methods of a hub, as calls that return the result. */
export type Invokes<M extends Members> = {
  readonly [K in keyof M as M[K]["kind"] extends "method" ? K : never]: (
    ...args: ArgumentsOf<M[K]>
  ) => Promise<Wire<Awaited<ReturnType<M[K]["handle"]>>>>;
};

/** The methods of a hub, as calls without an answer. */
type SendMethods<M extends Members> = {
  readonly [K in keyof M as M[K]["kind"] extends "method" ? K : never]: (
    ...args: ArgumentsOf<M[K]>
  ) => void;
};

/** The streams of a hub, as calls that return the items. */
export type Streams<M extends Members> = {
  readonly [K in keyof M as M[K]["kind"] extends "stream" ? K : never]: (
    ...args: ArgumentsOf<M[K]>
  ) => AsyncIterable<ReturnType<M[K]["handle"]> extends AsyncIterable<infer T> ? Wire<T> : never>;
};

/** A hub as its clients use it. `invoke` waits for the result; `send` does not, and reports no error of the hub. */
export interface HubCalls<H extends Hub<any, any, any>> {
  readonly invoke: Invokes<H["members"]>;
  readonly send: SendMethods<H["members"]>;
  readonly stream: Streams<H["members"]>;
}

/** The interface of a hub's clients: the methods that the hub calls on them. */
export type ClientOf<H> = H extends Hub<infer C, any, any> ? C : never;

/** The states that users show in the presence of the hub's rooms, as they are after the wire. */
export type PresenceStateOf<H> = H extends Hub<any, any, infer S> ? Wire<S> : never;
