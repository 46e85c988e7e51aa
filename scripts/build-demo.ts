// Bundles demo/ into public/demo.js. wrangler runs this before it starts, before it deploys, and whenever a file
// changed.

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

// Endpoints that run side by side share the file. An unchanged bundle is not written, so that it wakes no watcher; a
// changed one replaces the file atomically.
if (!existsSync(OUTPUT) || readFileSync(OUTPUT, "utf8") !== bundle.text) {
  const draft = `${PROJECT}node_modules/.demo-${process.pid}.js`;
  writeFileSync(draft, bundle.contents);
  renameSync(draft, OUTPUT);
}
