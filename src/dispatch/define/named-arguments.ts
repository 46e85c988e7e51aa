// Names of arguments, for JSON-RPC clients that send `params` as an object.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { HubError } from "../../model/errors.ts";
import { isJsonObject } from "../../protocols/json.ts";
import type { Arg, Input, Output } from "./hub-arguments.ts";
import type { AnyMember } from "./hub-members.ts";

/** A schema that carries the argument's name. */
export interface NamedSchema<S extends StandardSchemaV1> extends StandardSchemaV1<
  Input<S>,
  Output<S>
> {
  readonly argumentName: string;
  /** The schema itself, for documents that are generated from it. */
  readonly schema: S;
}

/**
 * Names an argument: `method([named("a", z.number()), named("b", z.number())], …)` can be called with `[2, 3]`, and
 * with `{ "a": 2, "b": 3 }` by JSON-RPC clients.
 */
export const named = <S extends StandardSchemaV1>(name: string, schema: S): NamedSchema<S> => ({
  "~standard": schema["~standard"] as NamedSchema<S>["~standard"],
  argumentName: name,
  schema,
});

/** The argument's name; undefined if the hub has not named it. */
export const nameOf = (arg: Arg): string | undefined =>
  "argumentName" in arg ? (arg.argumentName as string) : undefined;

/** An argument in an error: its position, and its name if the hub has named it. */
export function argumentName(arg: Arg, index: number): string {
  const name = nameOf(arg);
  return `Argument ${index + 1}${name === undefined ? "" : ` "${name}"`}`;
}

/** The schema without its name. */
export const unnamed = (schema: StandardSchemaV1): StandardSchemaV1 =>
  "argumentName" in schema ? (schema as NamedSchema<StandardSchemaV1>).schema : schema;

/**
 * The arguments in the order of the member's parameters; `given` is one object of arguments by name. If the hub does
 * not name all of the member's arguments, the object is the only argument. Throws `invalid_arguments` for an unknown
 * name, which may be misspelt.
 */
export function bindByName(
  { args }: Pick<AnyMember, "args">,
  given: readonly unknown[],
): readonly unknown[] {
  const names = args.flatMap((arg) => nameOf(arg) ?? []);
  const [params] = given;
  if (names.length === 0 || names.length < args.length || !isJsonObject(params)) return given;
  for (const name of Object.keys(params))
    if (!names.includes(name))
      throw new HubError(
        "invalid_arguments",
        `There is no argument ${name.slice(0, 128)}; expected: ${names.join(", ")}.`,
      );
  return names.map((name) => (Object.hasOwn(params, name) ? params[name] : undefined));
}
