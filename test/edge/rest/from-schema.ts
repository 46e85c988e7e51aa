// Values that a JSON Schema lets through, and values that it may not, for fast-check. Of the schema language it reads
// what our own document uses, and throws at anything else.

import * as fc from "fast-check";

export interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

const MOST = 4;

/** A value the schema lets through, but for patterns of texts. */
export function valid(schema: Schema): fc.Arbitrary<unknown> {
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return fc.oneof(...either.map(valid));
  const { type } = schema;
  if (typeof type === "object")
    return fc.oneof(...type.map((one) => valid({ ...schema, type: one })));
  switch (type) {
    case undefined:
      return fc.jsonValue({ maxDepth: 2 });
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
    case "number":
      return fc.integer({
        min: schema.minimum ?? -9,
        max: Math.min(schema.maximum ?? 9, 2 ** 31 - 1),
      });
    case "string":
      return textOf(schema);
    case "array":
      return fc.array(valid(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: MOST,
      });
    case "object":
      return objectOf(schema);
    default:
      throw new Error(`No values are known for ${JSON.stringify(schema)}.`);
  }
}

const textOf = ({ minLength = 0, maxLength = 20 }: Schema): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: "grapheme-ascii", minLength, maxLength: Math.min(maxLength, 20) }),
    fc.constantFrom("lobby", "group:lobby", "user:alice", "order:1", "all", "said", "__proto__"),
  );

function objectOf({ properties = {}, required = [] }: Schema): fc.Arbitrary<unknown> {
  const members = Object.entries(properties).map(([name, one]) => [name, valid(one)] as const);
  return fc.record(Object.fromEntries(members), { requiredKeys: required as string[] });
}

/** Anything at all, with the names and numbers that break things. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>("__proto__", "constructor", -1, 1e308, 2 ** 53, "\u0000", "\u2028", ""),
  fc.constantFrom<unknown>("a".repeat(2_000), [[]], { target: 7 }, { target: "$/reset" }, null),
  fc.string({ unit: "binary", maxLength: 40 }),
);
