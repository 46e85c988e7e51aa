// JSON Schemas as types of C#. Objects become records, equal objects one record. Constraints that a type cannot express
// (ranges, patterns) are left out; a value of several kinds is an `object?`.

import { literal } from "./csharp-names.ts";
import type { JsonSchema } from "./hub-documents.ts";
import { resolvePointer } from "./json-pointer.ts";
import { Names, pascal } from "./type-names.ts";

/** A schema, the root of its references, and a name for its record. */
interface At {
  readonly root: JsonSchema;
  readonly name: string;
  /** References that are being resolved, so that recursion is noticed. */
  readonly open: readonly string[];
}

export const ANY = "object?";

export class Records {
  readonly #names: Names;
  /** Records by the JSON of their schemas, so that equal schemas share one. */
  readonly #known = new Map<string, string>();
  readonly #texts: string[] = [];

  constructor(names: Names) {
    this.#names = names;
  }

  /** The declarations, in the order in which they were found. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  /** `name` is for the record, if it needs one. */
  typeOf(schema: JsonSchema, name: string): string {
    return this.#typeAt(schema, { root: schema, name, open: [] });
  }

  #typeAt(schema: JsonSchema | boolean, at: At): string {
    if (typeof schema === "boolean") return ANY;
    const { $ref, enum: values, anyOf, oneOf, allOf, type, properties } = schema;
    if (typeof $ref === "string") return this.#referred($ref, at);
    if ("const" in schema) return ofValues([schema["const"]]);
    if (Array.isArray(values)) return ofValues(values);
    const choices = anyOf ?? oneOf;
    // A record cannot express members of its own together with alternatives.
    if (Array.isArray(choices)) return properties ? ANY : this.#oneOf(choices, at);
    if (Array.isArray(allOf)) return this.#typeAt(merged(allOf, schema, at.root), at);
    if (Array.isArray(type))
      return this.#oneOf(
        type.map((one) => ({ ...schema, type: one })),
        at,
      );
    return this.#ofKind(schema, at);
  }

  #ofKind(schema: JsonSchema, at: At): string {
    switch (schema["type"]) {
      case "string":
        return "string";
      case "boolean":
        return "bool";
      case "integer":
        return "long";
      case "number":
        return "double";
      case "array":
        return this.#listOf(schema, at);
      case "object":
        return this.#objectOf(schema, at);
      default:
        return ANY;
    }
  }

  /** The type of alternatives that are one kind of value and null; any value for others. */
  #oneOf(choices: readonly JsonSchema[], at: At): string {
    const others = choices.filter((one) => one["type"] !== "null" && one["const"] !== null);
    const types = new Set(others.map((one) => this.#typeAt(one, at)));
    const [type = ANY, ...rest] = types;
    if (rest.length > 0) return ANY;
    return others.length < choices.length ? nullable(type) : type;
  }

  #listOf({ items, prefixItems }: JsonSchema, at: At): string {
    const isList = typeof items === "object" && items !== null && !Array.isArray(prefixItems);
    const item = isList
      ? this.#typeAt(items as JsonSchema, { ...at, name: `${at.name}Item` })
      : ANY;
    return `IReadOnlyList<${item}>`;
  }

  #objectOf(schema: JsonSchema, at: At): string {
    const { properties = {}, additionalProperties: others } = schema;
    if (Object.keys(properties as object).length > 0) return this.#recordOf(schema, at);
    const value =
      typeof others === "object" && others !== null
        ? this.#typeAt(others as JsonSchema, { ...at, name: `${at.name}Value` })
        : ANY;
    return `IReadOnlyDictionary<string, ${value}>`;
  }

  #recordOf(schema: JsonSchema, at: At): string {
    const { root, name } = at;
    const { properties = {}, required = [], title } = schema;
    const key = JSON.stringify([properties, required, title, hasReference(schema) && root]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const members = Object.entries(properties as Record<string, JsonSchema>);
    const wanted = typeof title === "string" ? pascal(title) : name;
    // A member must not be named like its type.
    const isMember = members.some(([member]) => pascal(member) === wanted);
    const record = this.#names.unique(isMember ? `${wanted}Data` : wanted);
    this.#known.set(key, record);
    const place = this.#texts.push("") - 1;
    const names = new Names([...OF_RECORDS, record]);
    const lines = members.map(([member, one]) => {
      const own = names.unique(pascal(member));
      const type = this.#typeAt(one, { ...at, name: `${record}${own}` });
      const isRequired = (required as readonly string[]).includes(member);
      return isRequired ? requiredMember(member, own, type) : optionalMember(member, own, type);
    });
    this.#texts[place] = `public sealed record ${record}\n{\n${lines.join("\n")}}\n`;
    return record;
  }

  /** The record is named after the definition, unless Zod has only numbered that (`__schema0`). */
  #referred(path: string, { root, name, open }: At): string {
    const target = resolvePointer(root, path);
    // A record refers to itself by its name; nothing else can.
    if (!target || (open.includes(path) && !isRecord(target))) return ANY;
    const [, definition] = /^#\/(?:\$defs|definitions)\/([^_/][^/]*)$/.exec(path) ?? [];
    return this.#typeAt(target, {
      root,
      name: definition ? pascal(definition) : name,
      open: [...open, path],
    });
  }
}

/** Members that every record has already, or may not have. */
const OF_RECORDS =
  "Clone Deconstruct EqualityContract Equals Finalize GetHashCode GetType MemberwiseClone PrintMembers ToString".split(
    " ",
  );

// The attribute has the exact name for JSON. Over MessagePack members have their C# names.
const requiredMember = (json: string, name: string, type: string): string =>
  `    [JsonPropertyName(${literal(json)})]
    public required ${type} ${name} { get; init; }
`;

const optionalMember = (json: string, name: string, type: string): string =>
  `    [JsonPropertyName(${literal(json)})]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ${nullable(type)} ${name} { get; init; }
`;

export const nullable = (type: string): string => (type.endsWith("?") ? type : `${type}?`);

function ofValues(values: readonly unknown[]): string {
  const others = values.filter((value) => value !== null);
  const types = new Set(others.map(typeOfValue));
  const [type = ANY, ...rest] = types;
  if (rest.length > 0) return ANY;
  return others.length < values.length ? nullable(type) : type;
}

function typeOfValue(value: unknown): string {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (typeof value !== "number") return ANY;
  return Number.isInteger(value) ? "long" : "double";
}

const isRecord = (schema: JsonSchema): boolean =>
  schema["type"] === "object" &&
  schema["properties"] !== undefined &&
  !["$ref", "anyOf", "oneOf", "allOf"].some((keyword) => keyword in schema);

const hasReference = (schema: JsonSchema): boolean => JSON.stringify(schema).includes('"$ref"');

/** An intersection of objects becomes one object with the members of all, and with the schema's own. */
function merged(parts: readonly JsonSchema[], schema: JsonSchema, root: JsonSchema): JsonSchema {
  const { allOf: _, ...own } = schema;
  const all = (own["properties"] ? [...parts, own] : parts).map((part) =>
    typeof part["$ref"] === "string" ? (resolvePointer(root, part["$ref"]) ?? {}) : part,
  );
  if (all.length === 0 || all.some((part) => part["type"] !== "object")) return {};
  const of = (keyword: string) => all.map((part) => (part[keyword] ?? {}) as object);
  return {
    type: "object",
    properties: Object.assign({}, ...of("properties")),
    required: all.flatMap((part) => (part["required"] ?? []) as readonly string[]),
  };
}
