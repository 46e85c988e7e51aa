// Names of members without regard to case, as in ASP.NET Core: a record of .NET has `Title` for `title` of a schema.
// The names come from the schema's JSON Schema, if its library provides one.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { inputJsonSchema } from "./input-json-schema.ts";
import { unnamed } from "./named-arguments.ts";

/** The shape of a schema; undefined if it has no objects with named members, or no JSON Schema. */
export type ShapeOf = (schema: StandardSchemaV1) => Shape | undefined;

/** Makes each schema's shape once, on first use, because that takes as long as thousands of calls. */
export function shapes(): ShapeOf {
  const known = new WeakMap<StandardSchemaV1, { readonly shape: Shape | undefined }>();
  return (schema) => {
    const found = known.get(schema) ?? { shape: shapeOf(schema) };
    known.set(schema, found);
    return found.shape;
  };
}

function shapeOf(schema: StandardSchemaV1): Shape | undefined {
  const root: Node | undefined = inputJsonSchema(unnamed(schema));
  return root && Shape.of(root, [root]);
}

/** The parts of JSON Schema that lead to members. */
interface Node {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Node>>;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node | boolean;
  readonly prefixItems?: readonly Node[];
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly allOf?: readonly Node[];
}

/** The members of a value that any of some schemas describes. Shapes of members are made at their first use. */
export class Shape {
  readonly #root: Node;
  readonly #nodes: readonly Node[];
  /** Names by their lower case. */
  readonly #names = new Map<string, string>();
  readonly #children = new Map<string | number, Shape | undefined>();

  static of(root: Node, nodes: readonly (Node | boolean | undefined)[]): Shape | undefined {
    const all = new Set<Node>();
    for (const node of nodes) flatten(root, node, all);
    const leading = [...all].filter(leads);
    return leading.length > 0 ? new Shape(root, leading) : undefined;
  }

  private constructor(root: Node, nodes: readonly Node[]) {
    this.#root = root;
    this.#nodes = nodes;
    for (const { properties = {} } of nodes)
      for (const name of Object.keys(properties)) this.#names.set(name.toLowerCase(), name);
  }

  /** The value with the names of the schema; the same value if no name differs. */
  renamed(value: unknown): unknown {
    if (Array.isArray(value)) return this.#items(value);
    const prototype = typeof value === "object" && value !== null && Object.getPrototypeOf(value);
    return prototype === Object.prototype ? this.#members(value as Members) : value;
  }

  #items(items: readonly unknown[]): readonly unknown[] {
    let copy: unknown[] | undefined;
    for (const [index, item] of items.entries()) {
      const renamed = this.#item(index)?.renamed(item) ?? item;
      if (renamed !== item) (copy ??= [...items])[index] = renamed;
    }
    return copy ?? items;
  }

  #members(members: Members): Members {
    let isChanged = false;
    const entries = Object.entries(members).map(([key, held]) => {
      const name = this.#nameOf(key, members);
      const renamed = this.#member(name)?.renamed(held) ?? held;
      if (name !== key || renamed !== held) isChanged = true;
      return [name, renamed] as const;
    });
    return isChanged ? Object.fromEntries(entries) : members;
  }

  /** The schema's name for a key. An exact match comes before one that differs in case. */
  #nameOf(key: string, members: Members): string {
    if (this.#isKnown(key)) return key;
    const name = this.#names.get(key.toLowerCase());
    return name === undefined || Object.hasOwn(members, name) ? key : name;
  }

  #isKnown(key: string): boolean {
    return this.#nodes.some(({ properties }) => properties && Object.hasOwn(properties, key));
  }

  #member(name: string): Shape | undefined {
    if (this.#names.size > 0 && this.#isKnown(name))
      return this.#child(name, () => this.#nodes.map(({ properties }) => properties?.[name]));
    return this.#child("", () => this.#nodes.map((node) => node.additionalProperties));
  }

  /** The shape of an item. Items after those of `prefixItems` share one. */
  #item(index: number): Shape | undefined {
    const places = Math.max(...this.#nodes.map(({ prefixItems }) => prefixItems?.length ?? 0));
    return this.#child(Math.min(index, places), () =>
      this.#nodes.map(({ prefixItems, items }) => prefixItems?.[index] ?? items),
    );
  }

  #child(
    key: string | number,
    nodes: () => readonly (Node | boolean | undefined)[],
  ): Shape | undefined {
    if (!this.#children.has(key)) this.#children.set(key, Shape.of(this.#root, nodes()));
    return this.#children.get(key);
  }
}

type Members = Readonly<Record<string, unknown>>;

const leads = ({ properties, additionalProperties, items, prefixItems }: Node): boolean =>
  properties !== undefined ||
  typeof additionalProperties === "object" ||
  items !== undefined ||
  prefixItems !== undefined;

/** Adds a schema, and those that it refers to or is composed of, to `all`. */
function flatten(root: Node, node: Node | boolean | undefined, all: Set<Node>): void {
  if (typeof node !== "object" || all.has(node)) return;
  all.add(node);
  if (node.$ref !== undefined) flatten(root, resolve(root, node.$ref), all);
  for (const part of [node.anyOf, node.oneOf, node.allOf].flat()) flatten(root, part, all);
}

function resolve(root: Node, ref: string): Node | undefined {
  const [, name] = /^#\/\$defs\/(.+)$/.exec(ref) ?? [];
  return name === undefined ? root : root.$defs?.[name];
}
