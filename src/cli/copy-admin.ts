// `dormouse admin <folder>`: copies the files of the admin page to a worker's folder of static files.

import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { UsageError, type Command } from "./command-line.ts";
import { pathText } from "./files.ts";

const HELP = `Usage: dormouse admin <folder>

Copies the admin page into <folder>/admin, where <folder> is "directory" of [assets] in wrangler.toml. The worker serves
it at /admin if ADMIN is "1", and answers 404 otherwise:

  [assets]
  directory = "public"
  binding = "ASSETS"
  run_worker_first = ["/admin", "/admin/*"]    # and the paths of the endpoint

Files of an older version are replaced. The page needs a token of a service:
npx dormouse token operator --role service

  -h, --help   This text.
`;

/** The page's files: next to the program in the package; in the repository made by `npm run build`. */
const FILES = fileURLToPath(new URL("../admin", import.meta.url));

function run(args: string[]): string {
  const options = { help: { type: "boolean", short: "h" } } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.help) return HELP;
  const [folder, ...others] = positionals;
  if (folder === undefined || others.length > 0)
    throw new UsageError("Name one folder: that of the static files.");
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`There is no folder ${pathText(folder)}.`);
  if (!existsSync(FILES))
    throw new Error("The page is not built: in the repository it is public/admin.");
  const target = join(folder, "admin");
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(FILES)) copyFileSync(join(FILES, name), join(target, name));
  return `The admin page is in ${target}.\n`;
}

export const copyAdmin: Command = { help: HELP, run };
