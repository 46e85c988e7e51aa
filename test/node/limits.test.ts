// docs/limits.md has every option of model/options.ts, with its default: a limit that is added without a row, or
// changed without its number, is found here.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ERRORS } from "../../src/model/error-table.ts";
import { CLOSE } from "../../src/model/errors.ts";
import { DEFAULTS, LIMITS, STATEFUL_RECONNECT } from "../../src/model/options.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/limits.md"), "utf8");
const [TABLE = "", UNBOUNDED = ""] = PAGE.split("## Settings that bound nothing");

interface Row {
  readonly limit: string;
  readonly cells: readonly string[];
}

const ROWS: readonly Row[] = TABLE.split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| **") && !line.startsWith("| -"))
  .slice(1)
  .map((line) => {
    const [limit = "", ...cells] = line.split("|").slice(1, -1);
    return { limit: limit.trim(), cells: cells.map((cell) => cell.trim()) };
  });

const KIB = 1024;
/** The ways in which the page writes a number. */
const written = (value: number): readonly string[] => [
  value.toLocaleString("en-US"),
  ...(value % KIB ** 2 === 0 ? [`${value / KIB ** 2} MiB`] : []),
  ...(value % KIB === 0 ? [`${value / KIB} KiB`] : []),
];

/** `hasEndHooks` is no option: it is read off the hub. */
const { signalR, limits: _, hasEndHooks: __, history, ...settings } = DEFAULTS;
/** Every option by its name in a hub, with its default. */
const OPTIONS: readonly (readonly [string, unknown])[] = [
  ...Object.entries(LIMITS),
  ...Object.entries(settings),
  ...Object.entries(history).map(([name, value]) => [`history.${name}`, value] as const),
  ...Object.entries({ ...signalR, statefulReconnect: undefined })
    .filter(([name]) => name !== "statefulReconnect")
    .map(([name, value]) => [`signalR.${name}`, value] as const),
  ...Object.entries(STATEFUL_RECONNECT).map(
    ([name, value]) => [`signalR.statefulReconnect.${name}`, value] as const,
  ),
];

describe("docs/limits.md", () => {
  it.each(OPTIONS)("has %s, with its default", (name, value) => {
    const rows = ROWS.filter(({ limit }) => limit === `\`${name}\``);
    const isUnbounded = UNBOUNDED.includes(`\`${name}\``);
    expect(rows).toHaveLength(isUnbounded ? 0 : 1);
    for (const { cells } of rows) expect(written(value as number)).toContain(cells[0]);
  });

  it("has no row of an option that there is not", () => {
    const names = new Set(OPTIONS.map(([name]) => `\`${name}\``));
    const unknown = ROWS.filter(({ limit }) => !limit.startsWith("*") && !names.has(limit));
    expect(unknown.map(({ limit }) => limit)).toEqual([]);
  });

  it("says of each limit why, which error, which metric, and what to do, and names nothing that is not", () => {
    const letters = new Set(PAGE.match(/(?<=^- \*\*)[A-Z](?=\*\*)/gm));
    const codes = new Set([...Object.keys(ERRORS), "index_full"]);
    const closes = new Set(Object.values(CLOSE).map(String));
    for (const { limit, cells } of ROWS) {
      expect([limit, cells.length, cells.includes("")]).toEqual([limit, 5, false]);
      const [, , error = "", metric = "", action = ""] = cells;
      expect([limit, action === "·" || letters.has(action)]).toEqual([limit, true]);
      for (const code of `${error} ${metric}`.match(/(?<=`)(?!closed_)[a-z_]+(?=`)/g) ?? [])
        expect([limit, code, codes.has(code)]).toEqual([limit, code, true]);
      for (const close of `${error} ${metric}`.match(/\b4[45]\d\d\b/g) ?? [])
        expect([limit, close, closes.has(close)]).toEqual([limit, close, true]);
    }
  });
});
