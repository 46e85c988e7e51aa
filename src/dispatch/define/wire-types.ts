// The types of values and arguments on the wire. Types only, so that browser bundles contain no server code.

import type { Arg, Input, StreamArg } from "./hub-arguments.ts";

/** A member of a hub that has arguments. */
export interface Callable {
  readonly args: readonly Arg[];
  // any: handlers have contexts and parameters of every kind.
  readonly handle: (context: any, ...args: any[]) => unknown;
}

/**
 * The arguments that a caller sends: the schemas' input types, under the handler's parameter names (for editors). The
 * names are lost if the handler has fewer parameters than schemas.
 */
export type ArgumentsOf<M extends Callable> = NamedArguments<
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
export type OptionalTail<T extends readonly unknown[]> = T extends readonly [...infer I, infer X]
  ? undefined extends X
    ? T extends readonly [...I, ...infer L]
      ? [...OptionalTail<I>, ...Partial<L>]
      : never
    : T
  : T;

/**
 * The type of a value after it was sent: as JSON encodes it, so that a Date is a string and functions have no type.
 * Bytes are `B`: a string in base64, or bytes where SignalR's MessagePack carries them. A bigint arrives as a number,
 * which `JSON.parse` rounds beyond 2⁵³.
 */
export type Wire<T, B = string> = unknown extends T
  ? T
  : T extends string | number | boolean | null | undefined | void
    ? T
    : T extends Uint8Array | ArrayBuffer
      ? B
      : T extends bigint
        ? number
        : T extends ReadonlyMap<infer K, infer V>
          ? { [P in K & (string | number)]: Wire<V, B> }
          : T extends { toJSON(): infer J }
            ? Wire<J, B>
            : T extends (...args: any) => any
              ? never
              : { [K in keyof T]: Wire<T[K], B> };
