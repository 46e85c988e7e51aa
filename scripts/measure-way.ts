// `npm run way`: how far a message goes through the source files, measured in the real engine.
//
// All of src/ but generated code is instrumented: every function that has a name (declarations, methods, accessors,
// constructors, and functions that are the value of a variable, a property or a default) records `file:function` when
// it is entered. Anonymous callbacks, resumptions after `await` and the initialisation of modules do not count. Worker
// and objects write one trace, in the order of execution. For each way:
//
//   files    distinct source files that were entered
//   jumps    consecutive entries whose files differ
//   returns  jumps into a file that had been entered before
//   entries  functions entered
//
// A way begins when the client sends its frame or request, and ends when the worker hands the last awaited frame to its
// socket: what runs after that is not part of it. Publish and invocation are measured after a warm-up; each cold way is
// the first request of a fresh process. The worker's clock stands still during a way, so that figures repeat. Only the
// public surface is named here, so that src/ may be rearranged freely.
//
// v0.1.0 gives files/jumps/returns of 35/113/79, 47/174/128, 72/324/253 and 82/450/369. An earlier tracer, which was
// not kept, gave 37/145/109, 51/209/159, 78/408/331 and 88/464/377: 2 to 6 files and 3 to 28 % of the jumps more. With
// anonymous functions counted as well, publish has 130 jumps. Compare figures of this script only with each other.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { setTimeout as delay } from "node:timers/promises";
import { startEndpoint, type Endpoint } from "../test/support/endpoint.ts";
import { command, UsageError } from "../src/cli/command-line.ts";
import { WAYS, type Way } from "./way/drive.ts";
import { bundleInstrumented } from "./way/instrument.ts";

const HELP = `Usage: npm run -s way -- [options]

Prints a Markdown table: files, jumps between files and returns of a message's way.

  --files <way>   Instead, the ordered entries of one way, as file:function; a number from the table.
  -h, --help      This text.
`;

const PROJECT = fileURLToPath(new URL("../", import.meta.url));

const QUIET_MS = 200;

/** The worker in a folder as `wrangler dev` takes it: wrangler.toml as it is, but for what is served. */
async function withWorker<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "dormouse-way-"));
  try {
    await bundleInstrumented({
      entry: join(PROJECT, "test/support/way-worker.ts"),
      sources: join(PROJECT, "src"),
      outfile: join(folder, "worker.js"),
    });
    const toml = readFileSync(join(PROJECT, "wrangler.toml"), "utf8")
      .replace(/^main = .*$/m, 'main = "worker.js"\nno_bundle = true')
      .replaceAll(/^\[(?:build|assets)\]\n(?:[^[\n].*\n|\n)*/gm, "");
    writeFileSync(join(folder, "wrangler.toml"), toml);
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The entries of one way, `file:function` each. */
async function entriesOf(way: Way, folder: string): Promise<string[]> {
  await using endpoint = await startEndpoint({ folder });
  const frames = await way.drive(endpoint, async () => {
    await quiet(endpoint);
    await fetch(`${endpoint.url}/way`, { method: "DELETE" });
  });
  const trace = await traceOf(endpoint);
  const ends = frames.map((frame) => trace.lastIndexOf(`>${frame}`));
  if (ends.includes(-1)) throw new Error("A frame came that is not in the trace.");
  return trace.slice(0, Math.max(...ends)).filter((entry) => !entry.startsWith(">"));
}

/** Resolves when the worker has finished what the warm-up began. */
async function quiet(endpoint: Endpoint): Promise<void> {
  for (let before = -1, now = 0; before !== now;) {
    before = now;
    // oxlint-disable-next-line no-await-in-loop -- one look after another
    await delay(QUIET_MS);
    // oxlint-disable-next-line no-await-in-loop
    now = (await traceOf(endpoint)).length;
  }
}

async function traceOf({ url }: Endpoint): Promise<string[]> {
  return (await (await fetch(`${url}/way`)).json()) as string[];
}

function figuresOf(entries: readonly string[]): number[] {
  const entered = new Set<string>();
  let [jumps, returns, last] = [0, 0, ""];
  for (const entry of entries) {
    const file = entry.slice(0, entry.indexOf(":"));
    if (last !== "" && file !== last) {
      jumps++;
      if (entered.has(file)) returns++;
    }
    entered.add(file);
    last = file;
  }
  return [entered.size, jumps, returns, entries.length];
}

async function table(folder: string): Promise<string> {
  const rows = [
    "| | way | files | jumps | returns | entries |",
    "| --- | --- | ---: | ---: | ---: | ---: |",
  ];
  for (const [at, way] of WAYS.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- a process each, one after another
    const figures = figuresOf(await entriesOf(way, folder));
    rows.push(`| ${[at + 1, way.title, ...figures].join(" | ")} |`);
  }
  return `${rows.join("\n")}\n`;
}

async function listing(number: string, folder: string): Promise<string> {
  const way = WAYS[Number(number) - 1];
  if (!way) throw new UsageError(`--files ${number} is not a way: 1 to ${WAYS.length}.`);
  return `${(await entriesOf(way, folder)).join("\n")}\n`;
}

await command(HELP, (args) => {
  const { values } = parseArgs({
    args,
    options: { files: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) return HELP;
  return withWorker((folder) =>
    values.files === undefined ? table(folder) : listing(values.files, folder),
  );
});
