// A hub as an OpenRPC document, the result of `rpc.discover`: its methods and streams, and in extensions what OpenRPC
// does not define. Its JSON Schemas come from the schemas that validate calls.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { hashOf } from "../../model/text-hash.ts";
import { writeTarget } from "../../protocols/signalr-json.ts";
import type { AnyMember, Arg } from "./hub-definition.ts";
import type { ServedHub } from "./hub-tables.ts";
import { inputJsonSchema } from "./input-json-schema.ts";
import { nameOf, unnamed } from "./named-arguments.ts";

/** The version of the OpenRPC specification that the document follows. */
const OPENRPC = "1.3.2";

/**
 * The document. A result without a declared schema has the empty one, which allows any value. Extensions:
 *
 * - `x-stream` marks a method that sends items, and a parameter that takes them
 * - `x-client-methods` are those that the hub calls on its clients: the events of event streams, and, if they have a
 *   result, calls that the client answers; `x-signalr-target` is the name that SignalR's clients receive
 * - `x-actions` and `x-state` describe rooms with state; `x-presence-state` is the state that users show in presence
 */
export function openRpc({ name, members, hub, settings, state }: ServedHub): object {
  const { client } = hub.settings;
  return {
    openrpc: OPENRPC,
    info: { title: name, version: "1" },
    methods: [...members].map(([method, member]) => describe(method, member)),
    ...(client && {
      "x-client-methods": Object.entries(client.clientMethods).map(
        ([method, { args, returns }]) => ({
          ...{ name: method, "x-signalr-target": writeTarget(method, settings.signalR) },
          params: args.map(paramOf),
          ...(returns && { result: { name: "result", schema: schemaOf(returns) } }),
        }),
      ),
    }),
    ...(state && {
      "x-actions": [...state.actions].map(([action, member]) => describe(action, member)),
      "x-state": stateOf(state.declaration),
    }),
    ...(hub.presenceState && { "x-presence-state": schemaOf(hub.presenceState) }),
  };
}

type Described = Pick<AnyMember, "args" | "returns"> & { readonly kind: string };

const describe = (name: string, { args, kind, returns }: Described): object => ({
  name,
  paramStructure: args.length > 0 && args.every(nameOf) ? "either" : "by-position",
  params: args.map(paramOf),
  result: {
    name: kind === "stream" ? "items" : "result",
    schema: returns ? schemaOf(returns) : {},
  },
  ...(kind === "stream" && { "x-stream": true }),
});

const paramOf = (arg: Arg, index: number): object => ({
  name: nameOf(arg) ?? `arg${index + 1}`,
  ...("streamOf" in arg && { "x-stream": true }),
  required: "streamOf" in arg || !isOptional(arg),
  schema: schemaOf("streamOf" in arg ? arg.streamOf : arg),
});

/** A view is made by a function, which has no schema; `view: false` shows clients nothing. */
const stateOf = ({ kind, options }: NonNullable<ServedHub["state"]>["declaration"]): object => ({
  kind,
  ...(options.view !== false && { schema: options.view ? {} : schemaOf(options.schema) }),
});

/** Whether a caller may leave out the argument, which is then validated as undefined. */
function isOptional(schema: StandardSchemaV1): boolean {
  try {
    const result = schema["~standard"].validate(undefined);
    return !(result instanceof Promise) && !result.issues;
  } catch {
    return false;
  }
}

/**
 * The JSON Schema of a schema's input. The empty schema for libraries without a conversion, and for types that JSON
 * Schema cannot express: such a value is documented as any, and validated by the schema itself.
 */
const schemaOf = (schema: StandardSchemaV1): object =>
  withId(inputJsonSchema(unnamed(schema)) ?? {});

/**
 * Gives a schema with references an id (`$id` of JSON Schema 2020-12): its references are relative to the schema
 * itself, and without an id they would be relative to the whole document. Equal schemas have the same id.
 */
function withId(schema: object): object {
  const text = JSON.stringify(schema);
  if (!text.includes('"$ref":')) return schema;
  return { $id: `schemas/${hashOf(text).toString(36)}`, ...schema };
}
