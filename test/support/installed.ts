// A project of somebody else's with our package in it, as `npm pack` makes it: beside it only what it says it depends
// on, and what such a project has by itself. Nothing comes from the network.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";
import { OF_THE_SERVER } from "../../src/cli/missing-packages.ts";
import { run } from "./pack.ts";

export { pack, run } from "./pack.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** A worker's project has chosen these, and what the server needs. */
const OF_WORKERS = ["@cloudflare/workers-types", "@types/react", "react", "wrangler"];
/** A page's project has chosen these. */
const OF_PAGES = ["@types/react", "react"];

export interface Installed extends Disposable {
  readonly folder: string;
  /**
   * Runs a program of our node_modules, or a file of the project, under the Node that runs us. Throws what it wrote.
   */
  node(...args: readonly string[]): Promise<string>;
  /** TypeScript's own check of this tsconfig. */
  tsc(tsconfig: string): Promise<string>;
}

/** A project with the package, and for a worker with what the server needs. */
export async function install(
  files: Readonly<Record<string, string>>,
  kind: "worker" | "page" = "worker",
): Promise<Installed> {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-installed-"));
  const modules = join(folder, "node_modules");
  await unpack(await packed(), join(modules, "dormouse-hubs"));
  const { dependencies } = manifestIn(join(modules, "dormouse-hubs"));
  const own = kind === "worker" ? [...OF_THE_SERVER, ...OF_WORKERS] : OF_PAGES;
  for (const name of [...Object.keys(dependencies), ...own]) link(modules, name);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const node = (...args: readonly string[]): Promise<string> =>
    run(process.execPath, args, { cwd: folder });
  return {
    folder,
    node,
    tsc: (tsconfig) => node(`${PROJECT}node_modules/typescript/bin/tsc`, "-p", tsconfig),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const manifestIn = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

let tarball: Promise<string> | undefined;

/**
 * The path of the tarball of this package, which is made once for all files of a run: a build removes the files of the
 * one before. It is there until the run ends.
 */
export const packed = (): Promise<string> => (tarball ??= lent());

async function lent(): Promise<string> {
  const response = await fetch(`${inject("sharedEndpoints")}/package`);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

/** Unpacks a tarball of npm into a folder. */
export async function unpack(file: string, target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  await run("tar", ["-xzf", file, "--strip-components=1"], { cwd: target });
}

/** Links a package of this project into a `node_modules`. */
export function link(modules: string, name: string): void {
  mkdirSync(dirname(join(modules, name)), { recursive: true });
  symlinkSync(join(PROJECT, "node_modules", name), join(modules, name), "dir");
}
