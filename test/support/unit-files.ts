// Which test files are units: those that reach neither the worker nor its objects, be it through what they import. They
// leave nothing behind.

import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const PROJECT = join(import.meta.dirname, "../..");
const TESTS = "test/**/*.test.ts";
const NOT_OURS = ["test/{node,e2e,counts}/**", "test/**/*.{extra,alone}.test.ts"];

/** Types are gone when a test runs. */
const TYPES = /^import type [^;]+;$/gm;
const REACHES_ENGINE = /\b(?:from|import\()\s*"(?:cloudflare:|[./]+src\/worker\.ts)/;
const IMPORTS = /\b(?:from|import\()\s*"(?<path>\.[^"]+)"/g;

/** Paths from the project's folder. */
export const unitFiles = (): string[] =>
  globSync(TESTS, { cwd: PROJECT, exclude: NOT_OURS }).filter((path) => !reachesEngine(path));

/** Follows what tests import from the tests' own folders: the sources reach the engine only when they are given it. */
function reachesEngine(path: string, seen = new Set<string>()): boolean {
  const file = join(PROJECT, path);
  if (seen.has(path) || !path.startsWith("test/") || !existsSync(file)) return false;
  seen.add(path);
  const code = readFileSync(file, "utf8").replaceAll(TYPES, "");
  if (REACHES_ENGINE.test(code)) return true;
  const imports = [...code.matchAll(IMPORTS)].map(({ groups }) => groups!["path"]!);
  return imports.some((one) => reachesEngine(join(dirname(path), one), seen));
}
