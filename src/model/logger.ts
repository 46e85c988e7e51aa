// The log: one line of JSON an event, for people and for machines. A line has names and figures; never a body, a token
// or a query.

/** A field's value. `error` may be anything that was thrown. */
export interface Fields {
  readonly [name: string]: unknown;
  readonly error?: unknown;
}

type Level = "info" | "warn" | "error";

/** `event` is a stable name in snake_case; fields are plain values. */
const writer =
  (level: Level) =>
  (event: string, { error, ...fields }: Fields = {}): void =>
    console[level](
      lineOf({ level, event, ...fields, ...(error !== undefined && { error: textOf(error) }) }),
    );

export const logInfo = writer("info");
export const logWarning = writer("warn");
export const logError = writer("error");

/** Names come from clients: none is longer than this, and none begins a line or colours a terminal. */
const CHARS_AT_MOST = 1_000;
const STACK_CHARS_AT_MOST = 8_000;

const lineOf = (fields: Fields): string =>
  JSON.stringify(fields, (name, value: unknown) =>
    typeof value === "string" && name !== "error" ? value.slice(0, CHARS_AT_MOST) : value,
  ).replace(UNSEEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** What JSON leaves as it is, and terminals and readers of lines do not: C1, line ends of Unicode, changes of direction. */
const UNSEEN = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The stack, and what was behind it. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, STACK_CHARS_AT_MOST);
  const stack = error.stack ?? `${error.name}: ${error.message}`;
  const cause = error.cause instanceof Error ? `\nCaused by: ${error.cause.stack}` : "";
  return (stack + cause).slice(0, STACK_CHARS_AT_MOST);
}
