// `npm run bench`: measures all servers, one after another, in several rounds. Each measurement has fresh processes.

import { writeFile } from "node:fs/promises";
import { cpus, loadavg, release } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { buildWorkers, workerdPath } from "./build.ts";
import { ALL_SERVERS, CASES, type Case } from "./cases.ts";
import { judgeAll } from "./gates.ts";
import type { Figures } from "./measurement.ts";
import { availableServers } from "./machine.ts";
import { cleanUpAtExit, isPinned, temporaryFolder } from "./processes.ts";
import { gatesOf, tablesOf } from "./report.ts";
import { isDisturbed, isFaulty, resultsOf, type Point } from "./results.ts";
import { measure, type Task } from "./servers.ts";
import { plot } from "./svg.ts";

const HELP = `npm run bench -- [options]

Measures our rooms beside ws, socket.io, partyserver, a bare hibernating object, nats-server and ASP.NET Core SignalR
on Kestrel, on this machine and on Linux. Servers that are not on the machine are left out.
Everything binds to 127.0.0.1; frames are not compressed. Figures are comparable within one run only.

  --rounds N        measurements of each case; figures are medians (3)
  --seconds N       duration of a load (4)
  --only a,b        cases: ${CASES.map(({ name }) => name).join(", ")}
  --servers a,b     servers: ${ALL_SERVERS.join(", ")}
  --peers a,b       the same as --servers
  --json PATH       results as JSON (bench/results.json)
  --svg PATH        results as a plot (bench/results.svg)
  --help

Servers of ours: logged, behind and none are rooms by durability, with neither presence nor reach; full is a logged room
with presence and reach as hubs have them by default, and every call in it is acknowledged. signalr has its sockets on a
relay; signalr-publishes and kestrel-publishes are calls that publish to the caller's own room. logged-sse is logged,
with subscribers on event streams; rpc and rpc-post call a hub in JSON-RPC over a WebSocket and by POST; logged-grpc
is logged, with subscribers on Subscribe, and grpc-unary calls Invoke. node-sse and node-rpc are the same, written by
hand on Node's http. rest is a logged room that a service publishes to over the REST interface, rest-none one without
a log; node-push (ws) and socket.io-push have an endpoint written by hand for that. All four check a token on every
request.
`;

const options = (() => {
  try {
    return parseArgs({
      options: {
        rounds: { type: "string", default: "3" },
        seconds: { type: "string", default: "4" },
        only: { type: "string", default: CASES.map(({ name }) => name).join(",") },
        servers: { type: "string" },
        peers: { type: "string" },
        json: { type: "string", default: join(import.meta.dirname, "results.json") },
        svg: { type: "string", default: join(import.meta.dirname, "results.svg") },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    return fail((error as Error).message);
  }
})();

function fail(problem: string): never {
  console.error(`${problem}\n\n${HELP}`);
  process.exit(2);
}

function namesFrom(text: string, known: readonly string[]): string[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !known.includes(name));
  return unknown === undefined ? names : fail(`"${unknown}" is none of ${known.join(", ")}.`);
}

function positive(name: string, text: string): number {
  const value = Number(text);
  return value > 0 ? value : fail(`--${name} is a number above zero.`);
}

const log = (line: string): void => void process.stderr.write(`${line}\n`);

interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly cases: readonly Case[];
  readonly servers: readonly string[];
}

async function runAll({ rounds, seconds, cases, servers }: Plan): Promise<Point[]> {
  const bundles = await temporaryFolder();
  await buildWorkers(bundles);
  const needed = servers.filter((name) => cases.some((one) => one.servers.includes(name)));
  const available = availableServers(needed, bundles, log);
  const points: Point[] = [];
  for (let round = 1; round <= rounds; round++)
    for (const benchCase of cases)
      for (const server of benchCase.servers.filter((name) => available.includes(name))) {
        const { kind, rooms, members, window, rate, batch } = benchCase;
        const task = {
          ...{ server, seconds, kind, rooms, members },
          ...(window !== undefined && { window }),
          ...(rate !== undefined && { rate }),
          ...(batch !== undefined && { batch }),
        };
        // Concurrent measurements would disturb each other.
        // oxlint-disable-next-line no-await-in-loop
        const figures = await measureCalmly(task, bundles);
        if (figures) points.push({ case: benchCase.name, server, round, figures });
        log(
          `${round}/${rounds} ${benchCase.name} ${server}: ${figures ? summaryOf(figures) : "broken"}`,
        );
      }
  return points;
}

const TRIES = 3;

/** Repeats a measurement that other processes disturbed; takes the least disturbed one. */
async function measureCalmly(task: Task, bundles: string): Promise<Figures | undefined> {
  let calmest: Figures | undefined;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      const figures = await measure(task, bundles);
      if (!calmest || figures.foreignCpu < calmest.foreignCpu) calmest = figures;
      if (!isDisturbed(figures)) break;
    } catch (error) {
      log(`${task.server}: ${(error as Error).message}`);
      break;
    }
  }
  return calmest;
}

const summaryOf = (figures: Figures): string =>
  Object.entries(figures)
    .filter(([, value]) => value !== 0 && value !== null)
    .map(([name, value]) => `${name} ${Number((value as number).toPrecision(4))}`)
    .join(", ") + (isFaulty(figures) ? "  VOID" : "");

const machine = () => ({
  at: new Date().toISOString(),
  cpu: cpus()[0]?.model ?? "",
  cores: cpus().length,
  kernel: release(),
  node: process.version,
  workerd: relative(join(import.meta.dirname, ".."), workerdPath()),
  pinned: isPinned,
  load: loadavg()[0],
});

async function main(): Promise<void> {
  if (options.help) return void process.stdout.write(HELP);
  cleanUpAtExit();
  const plan = {
    rounds: positive("rounds", options.rounds),
    seconds: positive("seconds", options.seconds),
    cases: CASES.filter(({ name }) => caseNames.includes(name)),
    servers: namesFrom(options.servers ?? options.peers ?? ALL_SERVERS.join(","), ALL_SERVERS),
  };
  const about = machine();
  if (!isPinned) log("Nothing is pinned to a core: taskset is missing, or there is only one.");
  const points = await runAll(plan);
  const results = resultsOf(points);
  const verdicts = judgeAll(results);
  const { rounds, seconds } = plan;
  const method = { rounds, seconds, ...about };
  await writeFile(
    options.json,
    `${JSON.stringify({ method, results, verdicts, points }, null, 1)}\n`,
  );
  await writeFile(options.svg, plot(results));
  console.log(`${tablesOf(results)}\n### Gates\n\n${gatesOf(verdicts)}\n`);
  console.log(`${rounds} rounds of ${seconds} s, medians; ${JSON.stringify(about)}`);
}

const caseNames = namesFrom(
  options.only,
  CASES.map(({ name }) => name),
);

await main();
process.exit(0);
