// What a hub offers, as an OpenRPC document: made from the schemas that validate calls, where their library can say.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { toJSONSchema, type z } from "zod";
import type { AnyMember, Arg } from "./hub-definition.ts";
import type { ServedHub } from "./hub-tables.ts";

const OPENRPC = "1.3.2";

export function openRpc({ name, members }: ServedHub): object {
  return {
    openrpc: OPENRPC,
    info: { title: name, version: "1" },
    methods: [...members].map(([method, member]) => describe(method, member)),
  };
}

const describe = (name: string, { args, kind }: AnyMember): object => ({
  name,
  paramStructure: "by-position",
  params: args.map((arg, index) => paramOf(arg, index)),
  result: { name: kind === "stream" ? "items" : "result", schema: {} },
  ...(kind === "stream" && { "x-stream": true }),
});

const paramOf = (arg: Arg, index: number): object => ({
  name: `arg${index + 1}`,
  ...("streamOf" in arg && { "x-stream": true }),
  schema: schemaOf("streamOf" in arg ? arg.streamOf : arg),
});

/** Anything, where the library has no JSON Schema, or none for this type. */
function schemaOf(schema: StandardSchemaV1): object {
  if (schema["~standard"].vendor !== "zod") return {};
  try {
    return toJSONSchema(schema as unknown as z.ZodType, { io: "input", unrepresentable: "any" });
  } catch {
    return {};
  }
}
