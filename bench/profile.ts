// `npm run bench -- profile`: which functions the CPU of one operation is spent in, by V8's sampling profiler.

import { readFile } from "node:fs/promises";
import { SourceMap } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";
import { buildWorkers } from "./build.ts";
import { CASES, loadOf } from "./cases.ts";
import { cleanUpAtExit, temporaryFolder } from "./processes.ts";
import { freePort, measure, workerOf, type Task } from "./servers.ts";

const HELP = `npm run bench -- profile --case NAME --server NAME [options]

Runs one measurement under V8's profiler, and prints the parts, files and functions in which the server spends its time: µs
of CPU for each operation, without the functions that they call. "(program)" is native code outside of JavaScript.

  --case NAME      one of: ${CASES.map(({ name }) => name).join(", ")}
  --server NAME    a worker: ours or a limit
  --seconds N      duration of the load (6)
  --after N        seconds before the profile begins: connections are there, and code is compiled (2)
  --top N          lines of each table (40)
  --help
`;

interface Node {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
}

/** V8's: a node and a time in microseconds for each sample. */
interface Profile {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Samples between `begin` and `end`. */
class Profiler {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (result: unknown) => void>();
  #ids = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket.on("message", (text) => {
      const { id, result } = JSON.parse(String(text)) as { id?: number; result?: unknown };
      if (id !== undefined) this.#answers.get(id)?.(result);
    });
  }

  static async at(port: number): Promise<Profiler> {
    const targets = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
    const [{ webSocketDebuggerUrl: url }] = targets as [{ webSocketDebuggerUrl: string }];
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    return new Profiler(socket);
  }

  #call(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#ids;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#answers.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return promise;
  }

  async begin(): Promise<void> {
    await this.#call("Profiler.enable");
    await this.#call("Profiler.setSamplingInterval", { interval: 200 });
    await this.#call("Profiler.start");
  }

  async end(): Promise<Profile> {
    const stopped = (await this.#call("Profiler.stop")) as { profile: Profile };
    this.#socket.terminate();
    return stopped.profile;
  }
}

/** Microseconds by node, in a profile's whole time but for that in which nothing ran. */
function selfTimes({ nodes, samples, timeDeltas }: Profile): Map<Node, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const times = new Map<Node, number>();
  for (const [at, id] of samples.entries()) {
    const node = byId.get(id)!;
    if (node.callFrame.functionName === "(idle)") continue;
    times.set(node, (times.get(node) ?? 0) + (timeDeltas[at] ?? 0));
  }
  return times;
}

type Naming = (node: Node) => string;

const fileBy =
  (map: SourceMap): Naming =>
  ({ callFrame: { functionName, lineNumber, columnNumber } }) => {
    const entry = map.findEntry(lineNumber, columnNumber);
    const source = "originalSource" in entry ? entry.originalSource : undefined;
    return source?.replace(/^(?:\.\.\/)+/, "") ?? functionName;
  };

const functionBy =
  (file: Naming): Naming =>
  (node) =>
    `${node.callFrame.functionName || "(anonymous)"} ${file(node)}`;

/** Parts of a worker, and the engine's own. */
const PARTS: readonly (readonly [name: string, files: RegExp])[] = [
  ["packages", /node_modules\//],
  ["the object written by hand", /bench\/workers\//],
  ["the way in (edge, auth, setup)", /src\/(?:edge|auth|setup|server)/],
  ["calls of hub code (dispatch, protocols)", /src\/(?:dispatch|protocols)\//],
  ["rooms, relays, accounts", /src\/(?:rooms|model|webhooks)\//],
  ["storage, natively", /^(?:exec|put|get|list|delete|transactionSync|setAlarm|get sql)$/],
  ["garbage collection", /^\(garbage collector\)$/],
  ["the engine outside of JavaScript", /^\(program\)$/],
];

const partBy =
  (file: Naming): Naming =>
  (node) =>
    PARTS.find(([, files]) => files.test(file(node)))?.[0] ?? "other native functions";

/** Lines of µs for each operation; `microsEach` is what an operation costs as a whole. */
function tableOf(times: ReadonlyMap<Node, number>, name: Naming, microsEach: number): string[] {
  const sums = new Map<string, number>();
  for (const [node, micros] of times) sums.set(name(node), (sums.get(name(node)) ?? 0) + micros);
  const total = [...sums.values()].reduce((sum, one) => sum + one, 0);
  return [...sums]
    .toSorted(([, a], [, b]) => b - a)
    .map(([what, micros]) => `${((micros / total) * microsEach).toFixed(1).padStart(8)}  ${what}`);
}

const OPTIONS = {
  case: { type: "string", default: "" },
  server: { type: "string", default: "" },
  seconds: { type: "string", default: "6" },
  after: { type: "string", default: "2" },
  top: { type: "string", default: "40" },
  help: { type: "boolean", default: false },
} as const;

interface Taken {
  readonly times: ReadonlyMap<Node, number>;
  readonly file: Naming;
  readonly microsEach: number;
}

/** One measurement of the server, with a profile that begins after so many seconds. */
async function take(task: Task, afterSeconds: number): Promise<Taken> {
  const bundles = await temporaryFolder();
  await buildWorkers(bundles);
  const inspector = await freePort();
  const profiling = Promise.withResolvers<Profiler>();
  const taken = Promise.withResolvers<Profile>();
  const { cpuMicros = Number.NaN } = await measure(task, bundles, {
    inspector,
    async begin() {
      await sleep(afterSeconds * 1000);
      const profiler = await Profiler.at(inspector);
      await profiler.begin();
      profiling.resolve(profiler);
    },
    end: async () => taken.resolve(await (await profiling.promise).end()),
  });
  const map = await readFile(join(bundles, workerOf(task.server), "worker.js.map"), "utf8");
  const file = fileBy(new SourceMap(JSON.parse(map)));
  return { times: selfTimes(await taken.promise), file, microsEach: cpuMicros };
}

export async function profile(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const load = CASES.find(({ name }) => name === values.case);
  const isTooLate = Number(values.after) >= Number(values.seconds);
  if (values.help || !load || values.server === "" || isTooLate) {
    console.log(HELP);
    return values.help;
  }
  cleanUpAtExit();
  const { times, file, microsEach } = await take(
    { server: values.server, seconds: Number(values.seconds), ...loadOf(load) },
    Number(values.after),
  );
  console.log(`${values.case} ${values.server}: ${microsEach.toFixed(0)} µs`);
  for (const naming of [partBy(file), file, functionBy(file)])
    console.log(`\n${tableOf(times, naming, microsEach).slice(0, Number(values.top)).join("\n")}`);
  return true;
}
