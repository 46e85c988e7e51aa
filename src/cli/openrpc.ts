// `dormouse openrpc`: the hubs of a worker as OpenRPC documents.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { UsageError, type Command } from "./command-line.ts";
import { writeText } from "./files.ts";
import { documentsOf, type HubDocument } from "./hub-documents.ts";

const HELP = `Usage: dormouse openrpc [hub] [options]

Prints the OpenRPC document of a hub of this folder's worker: methods, streams (x-stream), actions (x-actions) and the JSON
Schemas of their arguments, if the schema library has them. To read the hubs, the command runs the worker's main module,
outside of the platform.

  --out <folder>       Writes {hub}.openrpc.json of each hub into this folder.
  -e, --env <name>     The environment of wrangler.toml.
  -c, --config <file>  Another file than wrangler.toml of this folder.
  -h, --help           This text.

A running hub answers the same to the method rpc.discover.
`;

const OPTIONS = {
  out: { type: "string" },
  env: { type: "string", short: "e" },
  config: { type: "string", short: "c" },
  help: { type: "boolean", short: "h" },
} as const;

const textOf = (document: HubDocument): string => `${JSON.stringify(document, null, 2)}\n`;

/** The document of the named hub, or of the only one. Throws a `UsageError`. */
function chosenOf(documents: ReadonlyMap<string, HubDocument>, name?: string): HubDocument {
  const names = [...documents.keys()];
  const found = documents.get(name ?? names[0]!);
  if (found && (name !== undefined || names.length === 1)) return found;
  const start = name === undefined ? "Name one of these hubs" : `There is no hub ${name}. Hubs`;
  throw new UsageError(`${start}: ${names.join(", ")}.`);
}

async function run(args: string[]): Promise<string> {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  if (values.help) return HELP;
  const [name, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError("Name one hub.");
  const documents = await documentsOf(values);
  if (values.out === undefined) return textOf(chosenOf(documents, name));
  const written = name === undefined ? [...documents.values()] : [chosenOf(documents, name)];
  for (const document of written)
    writeText(join(values.out, `${document.info.title}.openrpc.json`), textOf(document));
  return "";
}

export const openrpc: Command = { help: HELP, run };
