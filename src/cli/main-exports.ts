// The names that a worker's main module exports, from a bundle that is made for nothing else.

import { existsSync } from "node:fs";
import { builtinModules } from "node:module";
import { basename } from "node:path";
import type { BuildFailure, BuildOptions } from "esbuild";
import { missingForGrpc, missingPackages } from "./missing-packages.ts";
import { bundler, type Configuration } from "./wrangler-package.ts";

/** As wrangler bundles. Modules that are data have no names. */
export const BUNDLE = {
  ...{ bundle: true, write: false, metafile: true, format: "esm", platform: "neutral" },
  ...{ target: "es2024", mainFields: ["module", "main"], logLevel: "silent" },
  conditions: ["workerd", "worker", "import"],
  external: ["cloudflare:*", "node:*", "*?module", ...builtinModules],
  loader: Object.fromEntries(
    [".wasm", ".bin", ".html", ".txt", ".sql", ".css"].map((end) => [end, "empty"]),
  ) as Record<string, "empty">,
  outdir: "out",
} as const satisfies BuildOptions;

/** The names; or a sentence that says why they are unknown. */
export async function mainExports(
  folder: string,
  { main, alias = {} }: Pick<Configuration, "main" | "alias">,
): Promise<readonly string[] | string> {
  if (main === undefined) return "main is missing: the worker has no module.";
  if (!existsSync(main)) return `main is ${main}, and there is no such file.`;
  const { build } = await bundler(folder);
  try {
    const options = { ...BUNDLE, entryPoints: [main], absWorkingDir: folder };
    const { metafile } = await build({ ...options, external: [...BUNDLE.external], alias });
    const entry = Object.values(metafile.outputs).find(
      ({ entryPoint }) => entryPoint !== undefined,
    );
    return entry?.exports ?? [];
  } catch (error) {
    const reason = reasonOf(error as Partial<BuildFailure>);
    const isMissing = reason.startsWith("Could not resolve");
    const missing = isMissing ? (missingPackages() ?? missingForGrpc(reason)) : undefined;
    return missing ?? `${basename(main)} cannot be bundled: ${reason}`;
  }
}

/** The first error, with its place. */
function reasonOf({ errors = [], message = "" }: Partial<BuildFailure>): string {
  const [first] = errors;
  if (!first) return message;
  const { text, location } = first;
  return location ? `${text} (${location.file}:${location.line})` : text;
}
