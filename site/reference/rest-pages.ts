// The reference of REST from the OpenAPI document, which the worker makes of the schemas that check requests.

import { mkdirSync, writeFileSync } from "node:fs";

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly $ref?: string;
  readonly [limit: string]: unknown;
}
interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
  readonly description?: string;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}
interface Document {
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** As text: types of the engine and of Node do not go together, and these modules know those of the engine. */
const rest = (name: string): Promise<unknown> =>
  import(new URL(`../../src/edge/rest/${name}.ts`, import.meta.url).href);

/** Writes `out/{tag}.md`, and `out/index.md` with the operations. */
export async function writeRestPages(out: string): Promise<void> {
  const { operations } = (await rest("index")) as { operations: readonly object[] };
  const { openApi } = (await rest("openapi")) as { openApi(of: readonly object[]): Document };
  const { tags, paths } = openApi(operations);
  mkdirSync(out, { recursive: true });
  const all = Object.entries(paths).flatMap(([path, verbs]) =>
    Object.entries(verbs).map(([verb, one]) => ({ ...one, verb: verb.toUpperCase(), path })),
  );
  const sections = [...new Set(all.flatMap((one) => one.tags))].map((name) => ({
    name,
    description: tags.find((tag) => tag.name === name)?.description ?? "The endpoint itself.",
    operations: all.filter((one) => one.tags.includes(name)),
  }));
  for (const section of sections) writeFileSync(`${out}/${section.name}.md`, pageOf(section));
  writeFileSync(`${out}/index.md`, indexOf(sections));
}

type Placed = Operation & { readonly verb: string; readonly path: string };
interface Section {
  readonly name: string;
  readonly description: string;
  readonly operations: readonly Placed[];
}

const indexOf = (sections: readonly Section[]): string =>
  `# REST

Operations for services. Tokens, keys and errors: [over REST](../../rest.md). The same as OpenAPI 3.1:
\`GET /api/openapi.json\` of your worker.

${sections.map(listOf).join("\n")}`;

const listOf = ({ name, description, operations }: Section): string =>
  `## ${description.replace(/[.:].*/, "")}

${table(
  ["operation", "path"],
  operations.map(({ operationId, verb, path }) => [
    `[${operationId}](${name}.md#${operationId.toLowerCase()})`,
    `\`${verb} ${path}\``,
  ]),
)}`;

const pageOf = ({ name, description, operations }: Section): string =>
  `# REST: ${name}

${description}

${operations.map(operationOf).join("\n")}`;

const operationOf = ({ operationId, verb, path, summary, ...one }: Placed): string =>
  `## ${operationId}

\`${verb} ${path}\`

${text(summary)}

${parametersOf(one.parameters ?? [])}${bodyOf(one.requestBody)}${answersOf(one.responses)}`;

/** Those of every operation are left out: the hub is in the path, and Azure's version of the API means nothing. */
function parametersOf(parameters: readonly Parameter[]): string {
  const own = parameters.filter(({ name }) => name !== "hub" && name !== "api-version");
  if (own.length === 0) return "";
  return `${table(
    ["parameter", "in", "type", "meaning"],
    own.map((one) => [
      `\`${one.name}\`${one.required === true ? "" : "?"}`,
      one.in,
      typeOf(one.schema),
      text(one.description ?? ""),
    ]),
  )}\n`;
}

function bodyOf(body: Content | undefined): string {
  const [kind, media] = Object.entries(body?.content ?? {})[0] ?? [];
  if (kind === undefined) return "";
  const kinds = Object.keys(body!.content!).map((one) => `\`${one}\``);
  return `Body: ${kinds.join(", ")}\n\n${fieldsOf(media?.schema ?? {}, "member of the body")}`;
}

function fieldsOf({ properties, required = [] }: Schema, title: string): string {
  if (!properties) return "";
  const rows = Object.entries(properties).map(([name, schema]) => [
    `\`${name}\`${required.includes(name) ? "" : "?"}`,
    typeOf(schema),
  ]);
  return `${table([title, "type"], rows)}\n`;
}

const answersOf = (responses: Operation["responses"]): string =>
  Object.entries(responses)
    .filter(([status]) => status.startsWith("2"))
    .map(([status, { description = "", content }]) => {
      const schema = Object.values(content ?? {})[0]?.schema ?? {};
      return `${status}: ${text(description)}\n\n${fieldsOf(schema, "member of the answer")}`;
    })
    .join("") + `Else: ${errorsOf(responses)}\n`;

const errorsOf = (responses: Operation["responses"]): string =>
  Object.keys(responses)
    .filter((status) => /^[45]/.test(status))
    .map((status) => `\`${status}\``)
    .join(", ");

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return "object";
  if (schema.enum) return schema.enum.map((one) => `\`${JSON.stringify(one)}\``).join(" or ");
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(" or ");
  const types = [schema.type ?? "any"].flat().join(" or ");
  if (schema.items) return `array of ${typeOf(schema.items)}${limitsOf(schema)}`;
  return `${types}${limitsOf(schema)}`;
}

/** The unit of each pair of limits. */
const LIMITS = { Length: " characters", imum: "", Items: " items" };

function limitsOf(schema: Schema): string {
  const limits = Object.entries(LIMITS).flatMap(([name, unit]) => {
    const [from, to] = [limitOf(schema[`min${name}`]), limitOf(schema[`max${name}`])];
    if (to === undefined) return from === undefined ? [] : [`from ${from}${unit}`];
    return [from === undefined ? `up to ${to}${unit}` : `${from} to ${to}${unit}`];
  });
  return limits.length > 0 ? ` (${limits.join(", ")})` : "";
}

/** Without those that only say which whole numbers are exact. */
const limitOf = (value: unknown): number | undefined =>
  typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;

/** A text in a table, or as a paragraph of Markdown: braces and angles would be Vue's. */
const text = (plain: string): string =>
  plain.replaceAll("|", "\\|").replaceAll("{", "&#123;").replaceAll("<", "&lt;");

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
