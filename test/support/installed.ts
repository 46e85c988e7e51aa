// A project of somebody else's with our package in it, as `npm pack` makes it: beside it only what it says it depends
// on, and what such a project has by itself. Nothing comes from the network.

import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** A project's own choices, which the package does not bring. */
const OWN = ["@cloudflare/workers-types", "@types/react", "react", "wrangler"];

export interface Installed extends Disposable {
  readonly folder: string;
  /** Runs a program of our node_modules, or a file of the project, under the Node that runs us. Throws what it wrote. */
  node(...args: readonly string[]): Promise<string>;
  /** TypeScript's own check of this tsconfig. */
  tsc(tsconfig: string): Promise<string>;
}

export async function install(files: Readonly<Record<string, string>>): Promise<Installed> {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-installed-"));
  const modules = join(folder, "node_modules");
  const { dependencies } = await unpack(join(modules, "dormouse"));
  for (const name of [...Object.keys(dependencies), ...OWN]) link(modules, name);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const node = (...args: readonly string[]): Promise<string> => run(process.execPath, args, folder);
  return {
    folder,
    node,
    tsc: (tsconfig) => node(`${PROJECT}node_modules/typescript/bin/tsc`, "-p", tsconfig),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

async function unpack(target: string): Promise<Manifest> {
  const packed = mkdtempSync(join(tmpdir(), "dormouse-packed-"));
  try {
    const listed = await run("npm", ["pack", "--json", "--pack-destination", packed], PROJECT);
    const [{ filename }] = JSON.parse(listed) as [{ readonly filename: string }];
    await run("tar", ["-xzf", filename], packed);
    cpSync(join(packed, "package"), target, { recursive: true });
  } finally {
    rmSync(packed, { recursive: true, force: true });
  }
  return JSON.parse(readFileSync(join(target, "package.json"), "utf8")) as Manifest;
}

function link(modules: string, name: string): void {
  mkdirSync(dirname(join(modules, name)), { recursive: true });
  symlinkSync(join(PROJECT, "node_modules", name), join(modules, name), "dir");
}

async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, npm_config_offline: "true", npm_config_update_notifier: "false" };
  try {
    const { stdout } = await promisify(execFile)(program, args, { cwd, env, timeout: 60_000 });
    return stdout;
  } catch (cause) {
    const { stdout = "", stderr = "" } = cause as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}\n${stderr}`, { cause });
  }
}
