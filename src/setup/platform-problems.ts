// The compatibility date and flags that the server needs or benefits from, and messages about missing ones.

import type { Problem } from "./problem.ts";

/** The compatibility date with which all tests run. */
const DATE = "2026-10-01";

/** Flags on which the server relies, each with the date that turns it on (docs/design/platform.md). */
export const NEEDED = [
  // Errors of objects keep their code on the way to the worker.
  { flag: "enhanced_error_serialization", since: "2026-04-21" },
  // A pending call keeps its object in memory.
  { flag: "durable_object_io_tasks_prevent_eviction", since: DATE },
] as const;

export const OLD_DATE: Problem = {
  level: "error",
  text: `The compatibility date is before ${DATE}.`,
  fix: {
    where: "wrangler.toml",
    lines: `compatibility_date = "${DATE}"`,
    json: `"compatibility_date": "${DATE}"`,
  },
};

export const ADVISED = [
  {
    flag: "no_web_socket_compression",
    why: "compressed sockets cost three times the memory and half as much CPU again",
  },
  {
    flag: "enable_request_signal",
    why: "without it the stream of a disconnected client ends only with its next message",
  },
] as const;

/** The fix is a line with all flags, so that it can replace an existing one. */
export function missingFlags(missing: readonly (typeof ADVISED)[number][]): Problem {
  const flags = ADVISED.map(({ flag }) => `"${flag}"`).join(", ");
  const reasons = missing.map(({ flag, why }) => `${flag} (${why})`).join(", ");
  return {
    level: "advice",
    text: `Compatibility flags are missing: ${reasons}.`,
    fix: {
      where: "wrangler.toml",
      lines: `compatibility_flags = [${flags}]`,
      json: `"compatibility_flags": [${flags}]`,
    },
  };
}
