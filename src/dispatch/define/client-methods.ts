// The methods of a hub's clients as data: their schemas describe them in documents (OpenRPC), define the types for hub
// code, and validate its messages in development.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Input, Output } from "./hub-arguments.ts";
import type { Awaitable } from "./policies.ts";
import type { OptionalTail } from "./wire-types.ts";

/** A schema for each argument; if the client returns a result, a schema of that as well. */
export type ClientMethod =
  | readonly StandardSchemaV1[]
  | { readonly args: readonly StandardSchemaV1[]; readonly returns: StandardSchemaV1 };

/** Carries the interface of the clients; no value has this member. */
declare const client: unique symbol;

/** The declared methods of clients with the interface `C`. */
export interface ClientMethods<C> {
  readonly [client]?: C;
  /** By name, in the spelling of hub code. */
  readonly clientMethods: Readonly<Record<string, DeclaredClientMethod>>;
}

/** One declared client method, in its long form. */
export interface DeclaredClientMethod {
  readonly args: readonly StandardSchemaV1[];
  /** Absent: clients return nothing. */
  readonly returns?: StandardSchemaV1;
}

type Parameters<A extends readonly StandardSchemaV1[]> = OptionalTail<{
  -readonly [K in keyof A]: Input<A[K]>;
}>;

/** The interface that hub code calls: arguments in the schemas' input types, results in their output types. */
type Declared<M> = {
  [K in keyof M]: M[K] extends {
    readonly args: infer A extends readonly StandardSchemaV1[];
    readonly returns: infer R;
  }
    ? (...args: Parameters<A>) => Awaitable<Output<R>>
    : M[K] extends readonly StandardSchemaV1[]
      ? (...args: Parameters<M[K]>) => void
      : never;
};

/**
 * Declares the methods that a hub calls on its clients, as its setting `client`. `ClientOf` gives their interface.
 *
 * @example
 * const ChatClient = clientMethods({
 *   receiveMessage: [named("user", z.string()), named("message", z.string())],
 *   confirm: { args: [z.string()], returns: z.boolean() },
 * });
 * const ChatHub = hub("chat", { client: ChatClient }).methods({ … });
 */
export const clientMethods = <const M extends Readonly<Record<string, ClientMethod>>>(
  methods: M,
): ClientMethods<Declared<M>> => ({
  clientMethods: Object.fromEntries(
    Object.entries<ClientMethod>(methods).map(([name, declared]) => [
      name,
      Array.isArray(declared) ? { args: declared } : Object(declared),
    ]),
  ),
});

/**
 * The schemas of the results, by name: the setting `answers` of a hub that declares its client methods. None of a value
 * of another kind, which is refused when the hub is served.
 */
export const answersOf = ({
  clientMethods: methods,
}: ClientMethods<unknown>): Readonly<Record<string, StandardSchemaV1>> =>
  Object.fromEntries(
    Object.entries(methods ?? {}).flatMap(([name, declared]) =>
      declared?.returns ? [[name, declared.returns]] : [],
    ),
  );
