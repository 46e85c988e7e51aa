// Arguments of hub members: a schema for each, or a stream of items; and the types that callers send and handlers get.

import type { StandardSchemaV1 } from "@standard-schema/spec";

/** A schema's input type: the values that callers send. */
export type Input<S> = S extends StandardSchemaV1<infer I, any> ? I : never;
/** A schema's output type: the values that handlers get. */
export type Output<S> = S extends StandardSchemaV1<any, infer O> ? O : never;

/** An argument that the caller sends as a stream of items, each validated by the schema. */
export interface StreamArg<S extends StandardSchemaV1> {
  readonly streamOf: S;
}
/** An argument of a method: a schema of any library with Standard Schema, or a stream of items. */
export type Arg = StandardSchemaV1 | StreamArg<StandardSchemaV1>;

/** The parameters of a handler after its context: validated values, and async iterables of validated items. */
export type Received<A extends readonly Arg[]> = {
  [K in keyof A]: A[K] extends StreamArg<infer S> ? AsyncIterable<Output<S>> : Output<A[K]>;
};

/** Declares an argument as a stream of items: `method([streamOf(Reading)], …)`. */
export const streamOf = <S extends StandardSchemaV1>(schema: S): StreamArg<S> => ({
  streamOf: schema,
});
