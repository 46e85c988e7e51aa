// Bundles demo/ into public/demo.js. wrangler runs this before it starts, when something changed, and before it deploys.

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const PROJECT = fileURLToPath(new URL("../", import.meta.url));
const OUTPUT = `${PROJECT}public/demo.js`;

const { outputFiles } = await build({
  entryPoints: [`${PROJECT}demo/main.ts`],
  tsconfig: `${PROJECT}demo/tsconfig.json`,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  write: false,
  logLevel: "warning",
});
const [bundle] = outputFiles;
if (!bundle) throw new Error("esbuild has made nothing.");

// Endpoints side by side share the file: what is the same is not written, so that nobody's watcher sees it, and what is
// not is never seen half-written.
if (!existsSync(OUTPUT) || readFileSync(OUTPUT, "utf8") !== bundle.text) {
  const draft = `${PROJECT}node_modules/.demo-${process.pid}.js`;
  writeFileSync(draft, bundle.contents);
  renameSync(draft, OUTPUT);
}
