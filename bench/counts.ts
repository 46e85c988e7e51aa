// `npm run bench -- counts`: what each operation costs the platform, in exact numbers that do not depend on the
// machine. It runs the tests of test/counts and prints what they counted; `--update` writes it down as what they
// expect.

import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";

const HELP = `npm run bench -- counts [options]

Counts rows and keys, alarms, calls between objects, wakes, and signatures verified, for each operation on a hub with
the defaults of all hubs. Prints what differs from test/counts/expected.ts, and fails where something does.

  --only TEXT       operations whose title has this text
  --statements      rows written, by statement
  --all             every count, not only those that differ
  --update          writes what was counted to test/counts/expected.ts
  --help
`;

type Counts = Readonly<Record<string, number>>;

interface Counted {
  readonly title: string;
  readonly counts: Counts;
  readonly statements: Counts;
}

const PROJECT = join(import.meta.dirname, "..");
const EXPECTED = join(PROJECT, "test/counts/expected.ts");

async function countAll(only: string | undefined): Promise<readonly Counted[]> {
  process.env["VITE_ALL_COUNTS"] = "1";
  const vitest = await startVitest("test", ["test/counts/counts.test.ts"], {
    ...{ root: PROJECT, project: ["counts"], watch: false, reporters: [{}] },
    ...(only !== undefined && { testNamePattern: only }),
  });
  const tests = vitest.state.getTestModules().flatMap(({ children }) => [...children.allTests()]);
  const counted = tests.flatMap((test) => {
    const { title, counts, statements = {} } = test.meta() as Partial<Counted>;
    if (title !== undefined && counts) return [{ title, counts, statements }];
    const { errors = [] } = test.result();
    for (const { message } of errors) console.error(`${test.name}: ${message}`);
    return [];
  });
  await vitest.close();
  return counted;
}

/** Lines of `what expected → found`. */
function linesOf({ counts }: Counted, expected: Counts, all: boolean): string[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(counts)])].toSorted();
  return names
    .map((name) => [name, expected[name] ?? 0, counts[name] ?? 0] as const)
    .filter(([, before, now]) => all || before !== now)
    .map(([name, before, now]) => `  ${name}: ${before === now ? now : `${before} → ${now}`}`);
}

async function expectedNow(): Promise<Record<string, Counts>> {
  const { EXPECTED: found } = (await import(EXPECTED)) as { EXPECTED: Record<string, Counts> };
  return { ...found };
}

const HEAD = `// What each operation costs. Written by \`npm run bench -- counts --update\`.

import type { Counts } from "./counter.ts";

export const EXPECTED: Readonly<Record<string, Counts>> = `;

async function update(expected: Record<string, Counts>): Promise<void> {
  await writeFile(EXPECTED, `${HEAD}${JSON.stringify(expected, null, 1)};\n`);
  spawnSync("npx", ["oxfmt", EXPECTED], { cwd: PROJECT, stdio: "inherit" });
}

export async function printCounts(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      statements: { type: "boolean", default: false },
      all: { type: "boolean", default: false },
      update: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return (console.log(HELP), true);
  const [counted, expected] = [await countAll(values.only), await expectedNow()];
  let isAsExpected = counted.length > 0;
  for (const one of counted) {
    const lines = linesOf(one, expected[one.title] ?? {}, values.all);
    if (linesOf(one, expected[one.title] ?? {}, false).length > 0) isAsExpected = false;
    if (lines.length > 0) console.log([one.title, ...lines].join("\n"));
    if (values.statements)
      for (const [text, rows] of Object.entries(one.statements))
        console.log(`    ${rows} × ${text}`);
  }
  if (!values.update) return isAsExpected;
  const found = Object.fromEntries(counted.map(({ title, counts: now }) => [title, now]));
  await update(values.only === undefined ? found : { ...expected, ...found });
  return counted.length > 0;
}
