// Structured log: one line of JSON per event. Fields are names and figures; never a body, a token or a query string.

import { errorLine } from "./errors.ts";

/** Further members of the line. `error` may be any thrown value; its stack is logged. */
interface Fields {
  readonly [name: string]: unknown;
  readonly error?: unknown;
}

type Level = "debug" | "info" | "warn" | "error";

/** Writes one line. `event` is a stable name in snake_case, for alerts to match on. */
const writer =
  (level: Level) =>
  (event: string, { error, ...fields }: Fields = {}): void =>
    console[level](
      lineOf({ level, event, ...fields, ...(error !== undefined && { error: textOf(error) }) }),
    );

export const logDebug = writer("debug");
export const logInfo = writer("info");
export const logWarning = writer("warn");
export const logError = writer("error");

/** Longest text field in UTF-16 units, since some fields are names that clients chose. */
const MAX_CHARS = 1_000;
const MAX_STACK_CHARS = 8_000;

const lineOf = (fields: Fields): string =>
  JSON.stringify(fields, (name, value: unknown) =>
    typeof value === "string" && name !== "error" ? value.slice(0, MAX_CHARS) : value,
  ).replace(INVISIBLE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

/**
 * Characters that JSON leaves unescaped but that break lines or control terminals: C1 controls, Unicode line
 * separators, and bidirectional overrides.
 */
const INVISIBLE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The stack, followed by the stack of the cause. A value that is not an Error is logged as text. Never throws. */
function textOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return String(error).slice(0, MAX_STACK_CHARS);
    const stack = error.stack ?? errorLine(error);
    const cause = error.cause instanceof Error ? `\nCaused by: ${error.cause.stack}` : "";
    return (stack + cause).slice(0, MAX_STACK_CHARS);
  } catch {
    return errorLine(error);
  }
}
