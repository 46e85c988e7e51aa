// wrangler as it is installed for the project of a folder: its reader of configurations, the same as at a deploy, its
// program, and the bundler that comes with it.

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

/** A rule for imports that are not code. */
interface Rule {
  /** `Text`, `Data`, `CompiledWasm`, or a kind of code. */
  readonly type: string;
  readonly globs?: readonly string[];
}

/** The chosen configuration: the file, else the one of the folder; and the environment in it. */
export interface ChosenConfig {
  readonly config?: string | undefined;
  readonly env?: string | undefined;
  /** Files to use instead of `.dev.vars` and `.env`, relative to the folder of the configuration. */
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

/** The path of wrangler's program. Throws if it is not installed. */
export const wranglerProgram = (folder: string): string =>
  join(dirname(wranglerManifest(folder)), "bin/wrangler.js");

/** The manifest of the project's own wrangler, else that of this package. */
function wranglerManifest(folder: string): string {
  for (const base of [join(resolve(folder), "package.json"), import.meta.url]) {
    try {
      return createRequire(base).resolve("wrangler/package.json");
    } catch {
      // Not installed there: tries the next place.
    }
  }
  throw new Error(`wrangler is not installed in ${folder}: npm install -D wrangler`);
}

const load = async <T>(folder: string, name: string): Promise<T> => {
  const path = createRequire(wranglerManifest(folder)).resolve(name);
  const module = (await import(pathToFileURL(path).href)) as T & { readonly default?: T };
  return module.default && name === "esbuild" ? module.default : module;
};

/** The bundler on which wrangler depends. */
export const bundler = (folder: string): Promise<{ readonly build: typeof build }> =>
  load(folder, "esbuild");

/** Names of configuration files, in wrangler's own order. */
const FILES = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/**
 * Throws if there is no configuration, or wrangler's error if it cannot be read. Warnings are passed to `onWarning`, if
 * that is given.
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

/** Adds the place to the message: errors of wrangler's parser have it in a separate member. */
function placed(error: unknown, file: string): unknown {
  const { message, location } = error as Error & { readonly location?: Location | null };
  if (typeof location?.line !== "number") return error;
  return new Error(`${basename(file)}:${location.line}:${location.column}: ${message}`);
}

interface Location {
  readonly line: number;
  readonly column: number;
}

/** The path of the file. Throws if there is none, because wrangler takes a folder for an empty file. */
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
