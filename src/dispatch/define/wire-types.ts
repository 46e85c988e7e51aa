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

/** Values that arrive as they are. Their types are kept: to change one that contains itself would never end. */
type Json = string | number | boolean | null | readonly Json[] | JsonObject;
interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** Values without a form in JSON: members that have one are not sent. */
type Unsent = ((...args: any) => any) | (abstract new (...args: any) => any) | symbol;
/** Objects whose content is not sent. */
type Empty = ReadonlySet<unknown> | PromiseLike<unknown>;

/**
 * The type of a value after it was sent: as JSON encodes it, so that a Date is a string, undefined in an array is null,
 * and functions are left out. Bytes are `B`: a string in base64, or bytes where SignalR's MessagePack carries them. A
 * bigint arrives as a number, which `JSON.parse` rounds beyond 2⁵³.
 */
export type Wire<T, B = string> = unknown extends T
  ? T
  : T extends Json | undefined | void
    ? T
    : T extends Uint8Array | ArrayBuffer
      ? B
      : T extends ArrayBufferView
        ? { readonly [index: number]: number }
        : T extends bigint
          ? number
          : T extends ReadonlyMap<infer K, infer V>
            ? { [P in K & (string | number)]: WireMember<V, B> }
            : T extends { toJSON(): infer J }
              ? Wire<J, B>
              : T extends readonly (infer E)[]
                ? WireArray<T, E, B>
                : T extends Unsent
                  ? never
                  : T extends Empty
                    ? {}
                    : T extends Error
                      ? Wire<Omit<T, keyof Error>, B>
                      : { [K in keyof T as Sent<K, T[K]>]: WireMember<T[K], B> };

/** An array that may contain itself: its items are resolved when they are used, which those of a mapped type are not. */
type WireArray<T extends readonly unknown[], E, B> = readonly E[] extends T
  ? readonly WireItem<E, B>[]
  : E[] extends T
    ? WireItem<E, B>[]
    : { [K in keyof T]: WireItem<T[K], B> };

/** An item of an array: a value without a form in JSON becomes null. */
type WireItem<V, B> = Wire<V, B> | (undefined extends V ? null : IfUnsent<V, null>);

/** A member that is a value or has no form in JSON: it is absent then. */
type WireMember<V, B> = Wire<V, B> | IfUnsent<V, undefined>;

type IfUnsent<V, R> = [Extract<V, Unsent>] extends [never] ? never : R;

/** The name of a member with values `V`; never if it is not sent. */
type Sent<K, V> = unknown extends V
  ? K
  : [Exclude<V, undefined>] extends [never]
    ? K
    : [Exclude<V, undefined>] extends [Unsent]
      ? never
      : K;

/** The type of a result, an item or an argument after it was sent: one that may be undefined may then be null. */
export type WireResult<T, B = string> = [T] extends [undefined | void] ? T : WireItem<T, B>;
