#!/usr/bin/env node
// `npm create dormouse-hubs@latest`: makes a project, and says how it starts.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { cancel } from "@clack/prompts";
import { Cancelled, HELP, readOptions, UsageError, type Options } from "./options.ts";
import { make } from "./templates.ts";

/** Released together with dormouse-hubs, under one version. */
const { version } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
) as { version: string };

function install(folder: string): void {
  // By a shell: Node refuses to start `npm.cmd`, which npm is on Windows, without one.
  const options = { cwd: folder, stdio: "inherit", shell: true } as const;
  const { status } = spawnSync("npm install --no-audit --no-fund", options);
  if (status !== 0) throw new Error("npm install has failed. The project is there; install again.");
}

function done({ folder, template, install: isInstalled }: Options): string {
  const place = relative(process.cwd(), resolve(folder));
  const steps = [
    ...(place === "" ? [] : [`cd ${quoted(place)}`]),
    ...(isInstalled ? [] : ["npm install"]),
    "npm run dev",
  ];
  return `\nMade from the template ${template}. Next:\n\n${steps.map((step) => `  ${step}\n`).join("")}\n`;
}

/** As a word of the system's shell, and no option of `cd`. */
function quoted(path: string): string {
  if (/^[\w./@][\w./:@-]*$/.test(path)) return path;
  // cmd.exe knows no single quotes, and no path has double ones.
  if (process.platform === "win32") return `"${path}"`;
  return `'${path.replace(/^-/, "./-").replaceAll("'", "'\\''")}'`;
}

async function run(): Promise<string> {
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const options = await readOptions(process.argv.slice(2), isTerminal);
  if (options === "help") return HELP;
  const { folder, template, dormouse = `^${version}` } = options;
  make({ folder: resolve(folder), template, dormouse, nodeVersion: process.versions.node });
  if (options.install) install(resolve(folder));
  return done(options);
}

try {
  process.stdout.write(await run());
} catch (error) {
  const { message, code } = error as NodeJS.ErrnoException;
  const isUsage = error instanceof UsageError || code?.startsWith("ERR_PARSE_ARGS") === true;
  if (error instanceof Cancelled) cancel("No project was made.");
  else process.stderr.write(isUsage ? `${message}\n\n${HELP}` : `${message}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
