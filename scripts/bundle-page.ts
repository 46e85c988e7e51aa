// Bundles the script of a page as an ES module.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const PROJECT = fileURLToPath(new URL("../", import.meta.url));

/** `source:./file.ts` is the text of the file: the demo shows its own code. */
const sources: Plugin = {
  name: "sources",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^source:/ }, ({ path, resolveDir }) => ({
      ...{ path: join(resolveDir, path.slice("source:".length)), namespace: "source" },
    }));
    onLoad({ filter: /./, namespace: "source" }, ({ path }) => ({
      ...{ contents: readFileSync(path, "utf8"), loader: "text" },
    }));
  },
};

/** Minified. `entry` is a module of a folder with a tsconfig of its own. */
export async function bundlePage(entry: `${"admin" | "demo"}/${string}.ts`): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [PROJECT + entry],
    tsconfig: `${PROJECT}${entry.split("/")[0]}/tsconfig.json`,
    plugins: [sources],
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    write: false,
    logLevel: "warning",
  });
  const [bundle] = outputFiles;
  if (!bundle) throw new Error("esbuild has made nothing.");
  return bundle.text;
}
