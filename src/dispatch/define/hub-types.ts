// What a client sees of a hub, as types: what it may call and what comes back after the wire.

import type { Arg, Hub, HubMember, Input, StreamArg } from "./hub-definition.ts";

type Members = Record<string, HubMember<any>>;

/** The handler's own parameter names, with the schemas' *input* types: what a caller must send. */
export type SentBy<M extends HubMember<any>> = Named<
  M["args"],
  M["handle"] extends (context: any, ...args: infer P) => any ? P : []
>;
type Named<A extends readonly Arg[], P extends readonly unknown[]> = Loose<
  P["length"] extends A["length"]
    ? { [K in keyof P]: K extends keyof A ? SentOne<A[K]> : never }
    : { -readonly [K in keyof A]: SentOne<A[K]> }
>;
type SentOne<A> = A extends StreamArg<infer S> ? AsyncIterable<Input<S>> : Input<A>;

/** Trailing arguments that may be undefined may be left out. */
type Loose<T extends readonly unknown[]> = T extends readonly [...infer I, infer X]
  ? undefined extends X
    ? T extends readonly [...I, ...infer L]
      ? [...Loose<I>, ...Partial<L>]
      : never
    : T
  : T;

/**
 * What a value looks like after the wire: what JSON makes of it, and bytes stay bytes. A bigint arrives as a number, which
 * `JSON.parse` rounds beyond 2⁵³.
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

export type Invokes<M extends Members> = {
  readonly [K in keyof M as M[K]["kind"] extends "method" ? K : never]: (
    ...args: SentBy<M[K]>
  ) => Promise<Wire<Awaited<ReturnType<M[K]["handle"]>>>>;
};

export type Fires<M extends Members> = {
  readonly [K in keyof M as M[K]["kind"] extends "method" ? K : never]: (
    ...args: SentBy<M[K]>
  ) => void;
};

export type Streams<M extends Members> = {
  readonly [K in keyof M as M[K]["kind"] extends "stream" ? K : never]: (
    ...args: SentBy<M[K]>
  ) => AsyncIterable<ReturnType<M[K]["handle"]> extends AsyncIterable<infer T> ? Wire<T> : never>;
};

/** A hub from the outside: its methods to invoke or fire, its streams to read. */
export interface HubCalls<H extends Hub<any, any>> {
  readonly invoke: Invokes<H["members"]>;
  readonly send: Fires<H["members"]>;
  readonly stream: Streams<H["members"]>;
}

/** The interface a hub may call on its clients. */
export type ClientOf<H> = H extends Hub<infer C, any> ? C : never;
