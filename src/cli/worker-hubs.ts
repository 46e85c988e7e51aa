// The hubs that a worker serves, as OpenRPC documents: its main module is bundled as wrangler does it, with empty
// classes instead of the platform's, and run in a process of its own.

import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "esbuild";
import { bundleOf, exportsIn, type Sources } from "./main-exports.ts";
import type { ModuleRun } from "./run-worker.ts";
import { inTemporaryFolder } from "./temporary-folder.ts";
import { bundler } from "./wrangler-package.ts";

const TIME_LIMIT_MS = 60_000;

/** The runner is next to this file, both in the sources and in the package. */
const RUNNER = fileURLToPath(new URL(`./run-worker${extname(import.meta.url)}`, import.meta.url));

/**
 * A stub of the platform's modules: every export is a function that can be extended; `env` has the configured values.
 * Exports are found through the prototype, because the bundler copies a module's own names.
 */
const stubOf = (vars: Sources["vars"]): string => `const env = ${JSON.stringify(vars)};
module.exports = Object.create(new Proxy({}, {
  get: (_target, name) => (name === "then" ? undefined : name === "env" ? env : function () {}),
}));`;

const platformModules = (vars: Sources["vars"]): Plugin => ({
  name: "platform",
  setup(build) {
    build.onResolve({ filter: /^cloudflare:|\?module$/ }, ({ path }) => ({
      path,
      namespace: "platform",
    }));
    const loaded = { contents: stubOf(vars), loader: "js" } as const;
    build.onLoad({ filter: /./, namespace: "platform" }, () => loaded);
  },
});

/**
 * The run, and the names that the main module exports. Throws what the bundler throws, and errors of this machine: if
 * the bundler cannot start, or files cannot be written.
 */
export const workerHubs = (
  folder: string,
  sources: Sources,
): Promise<ModuleRun & { readonly exports: readonly string[] }> =>
  inTemporaryFolder("dormouse-hubs-", async (place, stopped) => {
    const { file, exports } = await bundle(place, folder, sources);
    return { ...(await run(file, folder, stopped)), exports };
  });

/** Source maps are relative to the bundle's folder. */
async function bundle(place: string, folder: string, sources: Sources) {
  const { build } = await bundler(folder);
  const { outputFiles, metafile } = await build({
    ...bundleOf(sources),
    ...{ plugins: [platformModules(sources.vars)], sourcemap: "inline", outdir: place },
  });
  const file = join(place, "worker.mjs");
  writeFileSync(file, outputFiles.find(({ path }) => path.endsWith(".js"))!.contents);
  return { file, exports: exportsIn(metafile) };
}

/** The runner's message. The output of user code is discarded. */
async function run(file: string, cwd: string, signal: AbortSignal): Promise<ModuleRun> {
  const child = fork(RUNNER, [file], {
    ...{ cwd, stdio: ["ignore", "ignore", "ignore", "ipc"], timeout: TIME_LIMIT_MS },
    ...{ signal, killSignal: "SIGKILL" },
    execArgv: ["--enable-source-maps", "--no-warnings"],
  });
  const message = once(child, "message").then(([ran]) => ran as ModuleRun);
  const exit = once(child, "exit").then((): ModuleRun => ({
    error: "The worker's main module did not finish.",
    isDefinition: false,
  }));
  return Promise.race([message, exit]);
}
