// A hub's members as an OpenRPC document, the result of `rpc.discover`. Its JSON Schemas are generated from the schemas
// that validate calls, if these are zod's.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { toJSONSchema, type z } from "zod";
import type { AnyMember, Arg } from "./hub-definition.ts";
import type { ServedHub } from "./hub-tables.ts";
import { nameOf, type NamedSchema } from "./named-arguments.ts";

/** The version of the OpenRPC specification that the document follows. */
const OPENRPC = "1.3.2";

/**
 * The document. OpenRPC has no streams: the extension `x-stream` marks a method that sends items, and a parameter that
 * takes them. Results have no schema in a hub, and the empty schema, which admits any value, here.
 */
export function openRpc({ name, members }: ServedHub): object {
  return {
    openrpc: OPENRPC,
    info: { title: name, version: "1" },
    methods: [...members].map(([method, member]) => describe(method, member)),
  };
}

const describe = (name: string, { args, kind }: AnyMember): object => ({
  name,
  paramStructure: args.length > 0 && args.every(nameOf) ? "either" : "by-position",
  params: args.map((arg, index) => paramOf(arg, index)),
  result: { name: kind === "stream" ? "items" : "result", schema: {} },
  ...(kind === "stream" && { "x-stream": true }),
});

const paramOf = (arg: Arg, index: number): object => ({
  name: nameOf(arg) ?? `arg${index + 1}`,
  ...("streamOf" in arg && { "x-stream": true }),
  schema: schemaOf(unwrapped(arg)),
});

function unwrapped(arg: Arg): StandardSchemaV1 {
  if ("streamOf" in arg) return arg.streamOf;
  return "argumentName" in arg ? (arg as NamedSchema<StandardSchemaV1>).schema : arg;
}

/**
 * The JSON Schema of what callers send. The empty schema for other libraries than zod, since Standard Schema has no
 * conversion, and for types that JSON Schema cannot express.
 */
function schemaOf(schema: StandardSchemaV1): object {
  if (schema["~standard"].vendor !== "zod") return {};
  try {
    return toJSONSchema(schema as unknown as z.ZodType, { io: "input", unrepresentable: "any" });
  } catch {
    // A type that cannot be represented is documented as any value; calls are validated by the schema itself.
    return {};
  }
}
