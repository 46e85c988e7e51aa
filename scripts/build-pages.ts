// Bundles demo/ and admin/ into public/, where a source is newer than the bundles. wrangler runs this before it starts,
// before it deploys, and whenever a file changed.

import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundlePage } from "./bundle-page.ts";

const PROJECT = fileURLToPath(new URL("../", import.meta.url));

const PAGES = [
  ["demo/main.ts", "public/demo.js"],
  ["demo/signalr.ts", "public/demo-signalr.js"],
  ["admin/main.ts", "public/admin/admin.js"],
] as const;

/** All that bundles are made of. */
const SOURCES = ["admin", "demo", "src", "scripts", "package-lock.json"];

/** Its time is that of the sources that the bundles have: theirs would wake watchers. */
const STAMP = `${PROJECT}node_modules/.pages-built`;

if (!isCurrent()) {
  const began = new Date();
  for (const [entry, file] of PAGES)
    // oxlint-disable-next-line no-await-in-loop -- bundles share two cores with wrangler
    writeIfChanged(`${PROJECT}${file}`, await bundlePage(entry));
  writeFileSync(STAMP, "");
  utimesSync(STAMP, began, began);
}

function isCurrent(): boolean {
  const files = [STAMP, ...PAGES.map(([, file]) => `${PROJECT}${file}`)];
  if (!files.every((file) => existsSync(file))) return false;
  const { mtimeMs } = statSync(STAMP);
  return SOURCES.every((source) => newestIn(`${PROJECT}${source}`) < mtimeMs);
}

/** Of folders as well: a file that is gone or renamed counts. Milliseconds since 1970. */
function newestIn(path: string): number {
  const entry = statSync(path);
  if (!entry.isDirectory()) return entry.mtimeMs;
  return Math.max(entry.mtimeMs, ...readdirSync(path).map((name) => newestIn(join(path, name))));
}

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
