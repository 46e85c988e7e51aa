// wrangler's warnings about a configuration, as problems of `dormouse check`. wrangler ignores the fields that it warns
// about, and deploys.

import { stripVTControlCharacters } from "node:util";
import type { Problem } from "../setup/problem.ts";

/**
 * Runs wrangler's reader, and passes each warning to `onWarning` instead of the console. wrangler writes them while it
 * reads. Its later notice about a newer version, on standard output, is suppressed by the log level. The warning that
 * `[unsafe]` is experimental is suppressed as well: it would repeat what its users know.
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

/** The problem, without the warning's first line, which is a heading with the file's name. */
export function warned(text: string): Problem {
  const [, ...lines] = stripVTControlCharacters(text).trim().split("\n");
  const body = lines.filter((line) => line.trim() !== "").join("\n");
  const hint = /Unexpected fields found in \S+ field/.test(body) ? MISPLACED : "";
  return { level: "advice", text: `wrangler warns of the file:\n${body}${hint}` };
}

const MISPLACED =
  "\nA key of wrangler.toml belongs to the [table] above it: keys of the whole file stand above the first table.";
