// Bundles demo/ and admin/ into public/, where a source is another than at the last time. wrangler runs this before it
// starts, before it deploys, and whenever a file changed.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundlePage } from "./bundle-page.ts";
import { fingerprintOf } from "./fingerprint.ts";

const PROJECT = fileURLToPath(new URL("../", import.meta.url));

const PAGES = [
  ["demo/main.ts", "public/demo.js"],
  ["demo/signalr.ts", "public/demo-signalr.js"],
  ["admin/main.ts", "public/admin/admin.js"],
] as const;

/** All that bundles are made of. */
const SOURCES = ["admin", "demo", "src", "scripts", "package-lock.json"];

/** Of this checkout alone: node_modules may be another's as well. No watcher looks there. */
const OWN = `${PROJECT}.wrangler`;

/** Has the fingerprint of the sources that the bundles are made of. */
const STAMP = `${OWN}/pages-built`;

// Before bundling: a file that is written meanwhile makes another.
const fingerprint = fingerprintOf(PROJECT, SOURCES);
if (!isCurrent()) {
  mkdirSync(OWN, { recursive: true });
  for (const [entry, file] of PAGES)
    // oxlint-disable-next-line no-await-in-loop -- bundles share two cores with wrangler
    writeIfChanged(`${PROJECT}${file}`, await bundlePage(entry));
  writeIfChanged(STAMP, fingerprint);
}

function isCurrent(): boolean {
  const files = [STAMP, ...PAGES.map(([, file]) => `${PROJECT}${file}`)];
  return files.every((file) => existsSync(file)) && readFileSync(STAMP, "utf8") === fingerprint;
}

/**
 * Endpoints that run side by side share the file. An unchanged bundle is not written, so that it wakes no watcher; a
 * changed one replaces the file atomically.
 */
function writeIfChanged(path: string, text: string): void {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  const draft = `${OWN}/page-${process.pid}.js`;
  writeFileSync(draft, text);
  renameSync(draft, path);
}
