// OpenRPC documents of hubs as one module of TypeScript: a type for each hub, which `connect` takes like a hub's own.

import type { Content, DocumentMethod, HubDocument } from "./hub-documents.ts";
import { keyOf, typeOf } from "./json-schema-type.ts";
import { Names, pascal } from "./type-names.ts";

const HEAD = `// Written by \`dormouse types --typescript\`. Generate it again when a hub changes.

import type { RemoteHub } from "dormouse-hubs/client";
`;

export function typescriptOf(documents: readonly HubDocument[]): string {
  const names = new Names();
  const hubs = documents.map((document) =>
    hubOf(document, `${names.unique(pascal(document.info.title))}Hub`),
  );
  return [HEAD, ...hubs].join("\n");
}

function hubOf(document: HubDocument, name: string): string {
  const { info, methods, "x-client-methods": client = [], "x-presence-state": state } = document;
  const { "x-state": room } = document;
  const { title } = info;
  const parts = [
    ...section(
      "methods",
      methods.filter((method) => !method["x-stream"]),
    ),
    ...section(
      "streams",
      methods.filter((method) => method["x-stream"]),
    ),
    ...section("actions", document["x-actions"] ?? []),
    ...(room ? [roomOf(room)] : []),
    ...section("client", client, "void"),
    ...(state ? [`  state: ${typeOf(state)};\n`] : []),
  ];
  return `/** The hub \`${title}\`. */\nexport type ${name} = RemoteHub<{\n${parts.join("")}}>;\n`;
}

const roomOf = ({ kind, schema }: NonNullable<HubDocument["x-state"]>): string =>
  `  room: { kind: ${JSON.stringify(kind)}; view: ${schema ? typeOf(schema) : "undefined"} };\n`;

const section = (
  name: string,
  methods: readonly DocumentMethod[],
  resultless = "unknown",
): string[] =>
  methods.length === 0
    ? []
    : [`  ${name}: {\n${methods.map((method) => lineOf(method, resultless)).join("")}  };\n`];

function lineOf(method: DocumentMethod, resultless: string): string {
  const { name, params, result, "x-stream": isStream } = method;
  const answer = result ? typeOf(result.schema) : resultless;
  const returned = isStream ? `AsyncIterable<${answer}>` : answer;
  return `    ${keyOf(name)}(${parametersOf(params)}): ${returned};\n`;
}

/** A parameter is optional only if no required one follows. */
function parametersOf(params: readonly Content[]): string {
  const names = new Names();
  const needed = params.findLastIndex((param) => isNeeded(param)) + 1;
  return params
    .map((param, at) => {
      const name = names.unique(wordOf(param.name, at));
      return `${name}${at < needed ? "" : "?"}: ${valueOf(param)}`;
    })
    .join(", ");
}

const isNeeded = ({ required, "x-stream": isStream }: Content): boolean =>
  required !== false || isStream === true;

function valueOf(param: Content): string {
  const type = typeOf(param.schema);
  if (param["x-stream"]) return `AsyncIterable<${type}>`;
  return isNeeded(param) || type === "unknown" ? type : `${type} | undefined`;
}

/** A parameter's name: the document's may be no identifier, or a keyword. */
const wordOf = (name: string, at: number): string =>
  /^[A-Za-z_$][\w$]*$/.test(name) && !WORDS.has(name) ? name : `arg${at + 1}`;

const WORDS: ReadonlySet<string> = new Set(
  "arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof var void while with yield".split(
    " ",
  ),
);
