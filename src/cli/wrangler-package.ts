// wrangler as the project of a folder has it installed: its reader of configurations, which is the one that deploys,
// its program, and the bundler that comes with it.

import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { build } from "esbuild";
import type { WorkerFiles } from "../setup/facts.ts";
import { pathText } from "./files.ts";
import { withWarnings } from "./wrangler-warnings.ts";

/** The configuration of one environment, with wrangler's defaults filled in. */
export interface Configuration extends Omit<WorkerFiles, "mainExports" | "hubProblem"> {
  readonly main?: string | undefined;
  readonly configPath: string;
  readonly compatibility_date?: string | undefined;
  readonly compatibility_flags: readonly string[];
  readonly routes?: readonly unknown[] | undefined;
  readonly route?: unknown;
  readonly alias?: Record<string, string> | undefined;
  readonly define?: Record<string, string> | undefined;
  readonly rules?: readonly Rule[] | undefined;
  readonly tsconfig?: string | undefined;
  readonly dev: { readonly inspector_port?: number | undefined };
}

/** Imports that are no code. */
interface Rule {
  /** `Text`, `Data`, `CompiledWasm`, or a kind of code. */
  readonly type: string;
  readonly globs?: readonly string[];
}

/** Which configuration: the file, else the one of the folder; and the environment in it. */
export interface ChosenConfig {
  readonly config?: string | undefined;
  readonly env?: string | undefined;
  /** In place of `.dev.vars` and `.env`; from the folder of the configuration. */
  readonly envFiles?: readonly string[] | undefined;
}

interface Wrangler {
  unstable_readConfig(
    of: { readonly config: string; readonly env?: string | undefined },
    options: { readonly hideWarnings: boolean },
  ): Configuration;
  unstable_getVarsForDev(
    config: string,
    files: readonly string[] | undefined,
    vars: WorkerFiles["vars"],
    env: string | undefined,
    silent: true,
  ): Readonly<Record<string, { readonly value: unknown }>>;
}

/** The path of wrangler's program. Throws where it is not installed. */
export const wranglerProgram = (folder: string): string =>
  join(dirname(wranglerManifest(folder)), "bin/wrangler.js");

/** The project's own comes before that of this package. */
function wranglerManifest(folder: string): string {
  for (const base of [join(resolve(folder), "package.json"), import.meta.url]) {
    try {
      return createRequire(base).resolve("wrangler/package.json");
    } catch {
      // Not there: the next one.
    }
  }
  throw new Error(`wrangler is not installed in ${folder}: npm install -D wrangler`);
}

const load = async <T>(folder: string, name: string): Promise<T> => {
  const path = createRequire(wranglerManifest(folder)).resolve(name);
  const module = (await import(pathToFileURL(path).href)) as T & { readonly default?: T };
  return module.default && name === "esbuild" ? module.default : module;
};

/** The bundler that wrangler brings. */
export const bundler = (folder: string): Promise<{ readonly build: typeof build }> =>
  load(folder, "esbuild");

/** wrangler's own order. */
const FILES = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/**
 * Throws where there is no configuration, and what wrangler throws for one that it cannot read. Its warnings go to
 * `onWarning`, if that is given.
 */
export async function readConfiguration(
  folder: string,
  chosen: ChosenConfig,
  onWarning?: (text: string) => void,
): Promise<Configuration> {
  const config = configPath(folder, chosen);
  // Loading wrangler takes half a second, so only this function does.
  const wrangler = await load<Wrangler>(folder, "wrangler");
  const read = () =>
    wrangler.unstable_readConfig({ config, env: chosen.env }, { hideWarnings: !onWarning });
  try {
    return onWarning ? withWarnings(read, onWarning) : read();
  } catch (error) {
    throw placed(error, config);
  }
}

/** Errors of wrangler's parser have the place in a member of its own, and not in their message. */
function placed(error: unknown, file: string): unknown {
  const { message, location } = error as Error & { readonly location?: Location | null };
  if (typeof location?.line !== "number") return error;
  return new Error(`${basename(file)}:${location.line}:${location.column}: ${message}`);
}

interface Location {
  readonly line: number;
  readonly column: number;
}

/** The file. Throws where it is not there: wrangler takes a folder for an empty file. */
export function configPath(folder: string, { config }: ChosenConfig): string {
  if (config !== undefined) {
    const path = resolve(folder, config);
    if (statSync(path, { throwIfNoEntry: false })?.isFile()) return path;
    throw new Error(`There is no file ${pathText(config)} in ${folder}.`);
  }
  const found = FILES.map((name) => join(folder, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`There is no ${FILES.at(-1)} in ${folder}.`);
  return found;
}

/** The values of [vars], overridden by `.dev.vars` or `.env`, as `wrangler dev` does. */
export async function readVariables(
  folder: string,
  { configPath: config, vars }: Configuration,
  { env, envFiles }: ChosenConfig = {},
): Promise<Readonly<Record<string, unknown>>> {
  const wrangler = await load<Wrangler>(folder, "wrangler");
  const bound = wrangler.unstable_getVarsForDev(config, envFiles, vars, env, true);
  return Object.fromEntries(Object.entries(bound).map(([name, { value }]) => [name, value]));
}
