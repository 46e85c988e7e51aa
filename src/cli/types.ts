// `dormouse types`: the types of hubs for clients that have no access to their source.

import { parseArgs } from "node:util";
import { isNamespace } from "./csharp-names.ts";
import { csharpOf, NAMESPACE } from "./csharp-types.ts";
import { UsageError, type Command } from "./command-line.ts";
import { writeText } from "./files.ts";
import { documentsOf, type HubDocument } from "./hub-documents.ts";
import { typescriptOf } from "./typescript-types.ts";

/** Writes one file of types for all documents. */
type Language = (documents: readonly HubDocument[], namespace: string) => string;

/** Languages by option. A further one needs a row here, and a line of the help text. */
const LANGUAGES: ReadonlyMap<string, Language> = new Map<string, Language>([
  ["typescript", (documents) => typescriptOf(documents)],
  ["csharp", csharpOf],
]);

const HELP = `Usage: dormouse types --typescript|--csharp [hub…] [options]

Generates types of hubs, for pages and programs without access to the hubs' source. The hubs are those of this folder's
worker, or of --from.

  --typescript         For dormouse-hubs/client: connect<ChatHub>(…).
  --csharp             For Microsoft.AspNetCore.SignalR.Client, on .NET 8 and later: a class for each hub with its methods,
                       streams and actions, an interface of its client methods, and records.
  --namespace <name>   The namespace of the C#. Default: ${NAMESPACE}.
  --from <url|file>    A running hub (https://example.com/hubs/chat), or an OpenRPC document (dormouse openrpc).
  --token <token>      The token for a running hub.
  --out <file>         Writes to this file, instead of printing.
  -e, --env <name>     The environment of wrangler.toml.
  -c, --config <file>  Another file than wrangler.toml of this folder.
  -h, --help           This text.

Arguments have the types of their JSON Schemas; without a JSON Schema they may be any value. Results have types if the hub
declares them (returns), and client methods if it declares them (clientMethods).
`;

const OPTIONS = {
  ...Object.fromEntries([...LANGUAGES.keys()].map((name) => [name, { type: "boolean" }] as const)),
  namespace: { type: "string" },
  from: { type: "string" },
  token: { type: "string" },
  out: { type: "string" },
  env: { type: "string", short: "e" },
  config: { type: "string", short: "c" },
  help: { type: "boolean", short: "h" },
} as const;

/** The language that an option selects. Throws a `UsageError`. */
function languageOf(values: Readonly<Record<string, unknown>>): Language {
  const [language, ...rest] = [...LANGUAGES].filter(([name]) => values[name] === true);
  if (language && rest.length === 0) return language[1];
  throw new UsageError(`Name one language: --${[...LANGUAGES.keys()].join(", --")}.`);
}

/** Throws a `UsageError` for a name without a hub. */
function chosenOf(documents: ReadonlyMap<string, HubDocument>, names: readonly string[]) {
  const unknown = names.find((name) => !documents.has(name));
  if (unknown !== undefined)
    throw new UsageError(`There is no hub ${unknown}. Hubs: ${[...documents.keys()].join(", ")}.`);
  return [...documents.values()].filter(
    ({ info }) => names.length === 0 || names.includes(info.title),
  );
}

async function run(args: string[]): Promise<string> {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  if (values.help) return HELP;
  const language = languageOf(values);
  const { namespace = NAMESPACE } = values;
  if (!isNamespace(namespace)) throw new UsageError(`${namespace} is not a namespace.`);
  const documents = chosenOf(await documentsOf(values), positionals);
  const text = language(documents, namespace);
  if (values.out === undefined) return text;
  writeText(values.out, text);
  return "";
}

export const types: Command = { help: HELP, run };
