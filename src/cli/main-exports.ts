// The bundle of a worker's main module: its options, the exported names, and its errors as sentences.

import { existsSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename, dirname, resolve } from "node:path";
import type { BuildFailure, BuildOptions, Loader, Metafile } from "esbuild";
import { missingForGrpc, missingPackages } from "./missing-packages.ts";
import type { Configuration } from "./wrangler-package.ts";

/** The part of a configuration on which the bundle depends. */
export type Sources = Pick<
  Configuration,
  "main" | "alias" | "define" | "rules" | "tsconfig" | "configPath" | "vars"
>;

/** Options to bundle as wrangler does, in the folder of its configuration. Modules that are data export no names. */
export const bundleOf = ({ main = "", configPath, ...sources }: Sources) =>
  ({
    ...{ bundle: true, write: false, metafile: true, format: "esm", platform: "neutral" },
    ...{ target: "es2024", mainFields: ["module", "main"], logLevel: "silent", outdir: "out" },
    conditions: ["workerd", "worker", "import"],
    external: ["cloudflare:*", "node:*", "*?module", ...builtinModules],
    loader: loadersOf(sources.rules),
    ...{ entryPoints: [main], absWorkingDir: resolve(dirname(configPath)) },
    ...{ alias: sources.alias ?? {}, define: sources.define ?? {} },
    // wrangler's reader returns a path relative to this process's folder.
    ...(sources.tsconfig && { tsconfig: resolve(sources.tsconfig) }),
  }) as const satisfies BuildOptions;

/** wrangler's own rules, then those of the file that select modules by the end of their name. */
function loadersOf(rules: Sources["rules"] = []): Record<string, Loader> {
  const own = rules.flatMap(({ type, globs = [] }) =>
    globs.map((glob) => [/(?:\.[\w-]+)+$/.exec(glob)?.[0] ?? "", LOADERS[type]] as const),
  );
  return Object.fromEntries(
    [...DATA, ...own].filter(([end, loader]) => end !== "" && loader),
  ) as Record<string, Loader>;
}

/** Loaders by type of a rule; modules of other types are code. */
const LOADERS: Readonly<Record<string, Loader>> = {
  Text: "text",
  Data: "binary",
  CompiledWasm: "empty",
};

const DATA: readonly (readonly [end: string, loader: Loader])[] = [
  ...[".html", ".txt", ".sql"].map((end) => [end, "text"] as const),
  ...[".bin", ".css", ".wasm"].map((end) => [end, "empty"] as const),
];

/** Why there is no main module, as a sentence; undefined if there is one. */
export function missingMain({ main }: Pick<Sources, "main">): string | undefined {
  if (main === undefined) return "main is missing: the worker has no module.";
  return existsSync(main) ? undefined : `main is ${main}, and there is no such file.`;
}

/** The exported names of a bundle's main module. */
export const exportsIn = ({ outputs }: Metafile): readonly string[] =>
  Object.values(outputs).find(({ entryPoint }) => entryPoint !== undefined)?.exports ?? [];

/** Whether the bundler has refused the sources. Its other errors are of this machine: it could not start, or write. */
export const isBundleFailure = (error: unknown): error is BuildFailure =>
  ((error as Partial<BuildFailure>).errors?.length ?? 0) > 0;

/** The bundler's error as a sentence. */
export function bundleProblem(error: BuildFailure, { main = "" }: Pick<Sources, "main">): string {
  const reason = reasonOf(error);
  const isMissing = reason.startsWith("Could not resolve");
  const missing = isMissing ? (missingPackages() ?? missingForGrpc(reason)) : undefined;
  return missing ?? `${basename(main)} cannot be bundled: ${reason}`;
}

/** The bundler's first error, with its place. */
function reasonOf({ errors }: BuildFailure): string {
  const { text, location } = errors[0]!;
  return location ? `${text} (${location.file}:${location.line})` : text;
}
