// A JSON Schema as a type of TypeScript. Constraints that a type cannot express (ranges, patterns) are left out; where
// a schema refers to itself, the type is `unknown`.

import type { JsonSchema } from "./hub-documents.ts";
import { resolvePointer } from "./json-pointer.ts";

/** The schema, and the root of its references. */
interface At {
  readonly root: JsonSchema;
  /** References that are being resolved, so that recursion is noticed. */
  readonly open: readonly string[];
}

export const typeOf = (schema: JsonSchema): string => typeAt(schema, { root: schema, open: ["#"] });

function typeAt(schema: JsonSchema | boolean, at: At): string {
  if (typeof schema === "boolean") return schema ? "unknown" : "never";
  const { $ref, enum: values } = schema;
  if (typeof $ref === "string") return referred($ref, at);
  if ("const" in schema) return JSON.stringify(schema["const"]);
  if (Array.isArray(values)) return union(values.map((value) => JSON.stringify(value)));
  return intersection(partsOf(schema, at));
}

/** The types that a value must have all at once: alternatives, parts of an intersection, and the schema's own. */
function partsOf(schema: JsonSchema, at: At): string[] {
  const { anyOf, oneOf, allOf, type, properties } = schema;
  const choices = anyOf ?? oneOf;
  const parts = [
    ...(Array.isArray(choices) ? [union(choices.map((one: JsonSchema) => typeAt(one, at)))] : []),
    ...(Array.isArray(allOf) ? allOf.map((one: JsonSchema) => typeAt(one, at)) : []),
  ];
  if (parts.length > 0 && properties === undefined) return parts;
  const own = Array.isArray(type)
    ? union(type.map((one) => ofKind({ ...schema, type: one }, at)))
    : ofKind(schema, at);
  return [own, ...parts];
}

function ofKind(schema: JsonSchema, at: At): string {
  switch (schema["type"]) {
    case "string":
    case "boolean":
    case "null":
      return schema["type"];
    case "integer":
    case "number":
      return "number";
    case "array":
      return arrayOf(schema, at);
    case "object":
      return objectOf(schema, at);
    default:
      return "unknown";
  }
}

function arrayOf({ items, prefixItems }: JsonSchema, at: At): string {
  const rest =
    typeof items === "object" && items !== null ? typeAt(items as JsonSchema, at) : undefined;
  if (!Array.isArray(prefixItems)) return `readonly ${grouped(rest ?? "unknown")}[]`;
  const first = prefixItems.map((one: JsonSchema) => typeAt(one, at));
  const last = rest === undefined ? [] : [`...${grouped(rest)}[]`];
  return `readonly [${[...first, ...last].join(", ")}]`;
}

function objectOf(schema: JsonSchema, at: At): string {
  const { properties = {}, required = [], additionalProperties: others } = schema;
  const members = Object.entries(properties as Record<string, JsonSchema>).map(
    ([name, one]) =>
      `readonly ${keyOf(name)}${(required as string[]).includes(name) ? "" : "?"}: ${typeAt(one, at)}`,
  );
  const isOpen = typeof others === "object" && others !== null;
  // Left out next to members, because an index signature must admit every one of them.
  if (isOpen && members.length === 0)
    return `{ readonly [name: string]: ${typeAt(others as JsonSchema, at)} }`;
  if (members.length === 0) return others === false ? "{}" : "object";
  return `{ ${members.join("; ")} }`;
}

function referred(path: string, { root, open }: At): string {
  const target = resolvePointer(root, path);
  if (!target || open.includes(path)) return "unknown";
  return typeAt(target, { root, open: [...open, path] });
}

const union = (all: readonly string[]): string => {
  const each = [...new Set(all)];
  return each.includes("unknown") || each.length === 0 ? "unknown" : each.join(" | ");
};

/** The intersection of types. `unknown` is left out, since it adds nothing. */
function intersection(all: readonly string[]): string {
  const [first = "unknown", ...others] = all.filter((one) => one !== "unknown");
  return others.length === 0 ? first : [first, ...others].map(grouped).join(" & ");
}

/** In parentheses if the type has an operator. */
const grouped = (type: string): string => (/[ |&]/.test(type) ? `(${type})` : type);

/** A member's name, quoted if necessary: `new(): T` would be a constructor. */
export const keyOf = (name: string): string =>
  /^[A-Za-z_$][\w$]*$/.test(name) && name !== "new" ? name : JSON.stringify(name);
