// Bundles demo/ and admin/ into public/. wrangler runs this before it starts, before it deploys, and whenever a file
// changed.

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundlePage } from "./bundle-page.ts";

const PROJECT = fileURLToPath(new URL("../", import.meta.url));

for (const [entry, file] of [
  ["demo/main.ts", "public/demo.js"],
  ["demo/signalr.ts", "public/demo-signalr.js"],
  ["admin/main.ts", "public/admin/admin.js"],
] as const)
  // oxlint-disable-next-line no-await-in-loop -- bundles share two cores with wrangler
  writeIfChanged(`${PROJECT}${file}`, await bundlePage(entry));

/**
 * Endpoints that run side by side share the file. An unchanged bundle is not written, so that it wakes no watcher; a
 * changed one replaces the file atomically.
 */
function writeIfChanged(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  const draft = `${PROJECT}node_modules/.page-${process.pid}.js`;
  writeFileSync(draft, text);
  renameSync(draft, path);
}
