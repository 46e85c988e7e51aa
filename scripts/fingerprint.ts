// A fingerprint of files: another one where a file was written, added, removed or exchanged, whatever its date.

import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Of all files at and below these paths of the folder. Dangling links, such as an editor's locks, are left out. */
export function fingerprintOf(folder: string, paths: readonly string[]): string {
  const lines = paths.flatMap((path) => linesOf(folder, path)).toSorted();
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}

function linesOf(folder: string, path: string): string[] {
  const file = join(folder, path);
  const entry = statSync(file, { throwIfNoEntry: false });
  if (!entry) return [];
  if (!entry.isDirectory()) return [`${path} ${entry.mtimeMs} ${entry.size}`];
  return readdirSync(file).flatMap((name) => linesOf(folder, join(path, name)));
}
