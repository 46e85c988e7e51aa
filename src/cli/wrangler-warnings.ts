// What wrangler warns of in a configuration, as a problem of `dormouse check`. wrangler ignores such fields, and
// deploys.

import { stripVTControlCharacters } from "node:util";
import type { Problem } from "../setup/problem.ts";

/**
 * Runs wrangler's reader, and gives each warning to `onWarning` in place of the console. wrangler writes them while it
 * reads. Its notice of a newer version would come later, on standard output: the level keeps it back.
 * That `[unsafe]` is experimental is known to those who use it.
 */
export function withWarnings<T>(read: () => T, onWarning: (text: string) => void): T {
  Object.assign(process.env, {
    WRANGLER_LOG: "warn",
    WRANGLER_WRITE_LOGS: "false",
    WRANGLER_DISABLE_EXPERIMENTAL_WARNING: "1",
  });
  const { warn } = console;
  console.warn = (text: unknown) => onWarning(String(text));
  try {
    return read();
  } finally {
    console.warn = warn;
  }
}

/** Of the first line, a heading with the file's name, nothing is left. */
export function warned(text: string): Problem {
  const [, ...lines] = stripVTControlCharacters(text).trim().split("\n");
  const body = lines.filter((line) => line.trim() !== "").join("\n");
  const hint = /Unexpected fields found in \S+ field/.test(body) ? MISPLACED : "";
  return { level: "advice", text: `wrangler warns of the file:\n${body}${hint}` };
}

const MISPLACED =
  "\nA key of wrangler.toml belongs to the [table] above it: keys of the whole file stand above the first table.";
