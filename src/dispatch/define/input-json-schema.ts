// The JSON Schema of a schema's input, for libraries that provide it: those with Standard JSON Schema
// (standardschema.dev/json-schema), and zod/mini, whose schemas lack that.

import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import * as z from "zod/mini";

type Standard = StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props>;

/** Without this option Zod throws for dates and bigints, which become schemas for any value. */
const LENIENT = { unrepresentable: "any" } as const;

/** JSON Schema draft 2020-12. Undefined if the library has no conversion, or none for this schema. */
export function inputJsonSchema(schema: StandardSchemaV1): object | undefined {
  const { jsonSchema }: Standard = schema["~standard"];
  try {
    if (jsonSchema) return jsonSchema.input({ target: "draft-2020-12", libraryOptions: LENIENT });
    if (isZod(schema)) return z.toJSONSchema(schema, { io: "input", ...LENIENT });
    return undefined;
  } catch {
    return undefined;
  }
}

const isZod = (schema: StandardSchemaV1): schema is StandardSchemaV1 & z.ZodMiniType =>
  "_zod" in schema;
