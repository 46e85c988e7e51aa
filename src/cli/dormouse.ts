#!/usr/bin/env node
// `npx dormouse <command>`: the program of the package. Commands are loaded when they run.

import { readFileSync } from "node:fs";
import { command, UsageError } from "./command-line.ts";
import { COMMANDS } from "./commands.ts";

const HELP = `Usage: dormouse <command> [options]

  admin    Copies the admin page into a folder of static files.
  check    Checks wrangler.toml, .dev.vars and the worker's exports, before a deploy.
  dev      Runs the worker of this folder with "wrangler dev", faster and with reasons in its log.
  openrpc  Prints the OpenRPC document of a hub.
  token    Prints a token for the local worker.
  types    Generates types of hubs, for clients without access to their source.

  dormouse <command> --help lists the options of a command, dormouse --version prints the version.
`;

/** The manifest's relative path is the same in the package and in the repository. */
function version(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

const [name = "", ...args] = process.argv.slice(2);
const load = COMMANDS.get(name);
if (load) {
  const { help, run } = await load();
  await command(help, run, args);
} else
  await command(HELP, () => {
    if (name === "--help" || name === "-h") return HELP;
    if (name === "--version") return `${version()}\n`;
    throw new UsageError(name === "" ? "A command is missing." : `There is no command ${name}.`);
  });
