// Measures all servers, one after another, in several rounds. Each measurement has fresh processes.

import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { cpus, loadavg, release, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { buildWorkers, workerdPath } from "./build.ts";
import { CASES, loadOf, type Case } from "./cases.ts";
import { ALL_SERVERS } from "./server-names.ts";
import { judgeAll } from "./gates.ts";
import type { Figures } from "./measurement.ts";
import { availableServers, commit, storageKind } from "./machine.ts";
import { cleanUpAtExit, isPinned, temporaryFolder, useStorage } from "./processes.ts";
import { gatesOf, tablesOf } from "./report.ts";
import { isDisturbed, isFaulty, resultsOf, type Point } from "./results.ts";
import { measure, type Task } from "./servers.ts";
import { plot } from "./svg.ts";

const HELP = `npm run bench -- [options], or one of the commands: counts, growth, costs, patches, placement

Measures our rooms beside ws, socket.io, partyserver, a bare hibernating object, nats-server and ASP.NET Core SignalR
on Kestrel, on this machine and on Linux. Servers that are not on the machine are left out.
Everything binds to 127.0.0.1; frames are not compressed. Figures are comparable within one run only.

  --table           the cases and servers of docs/performance.md's table: under 25 minutes
  --rounds N        measurements of each case; figures are medians (3)
  --seconds N       duration of a load (4, or 3 for --table)
  --only a,b        cases: ${CASES.map(({ name }) => name).join(", ")}
  --servers a,b     servers: ${ALL_SERVERS.join(", ")}
  --peers a,b       the same as --servers
  --storage PATH    folder for what servers store (/dev/shm, which is memory, where it is there)
  --json PATH       results as JSON (bench/results.json)
  --svg PATH        results as a plot (bench/results.svg)
  --help

"× limit" compares with an object written by hand that makes the same calls and writes the same rows (limit, limit-…).
Servers of ours have presence and reach as hubs have them by default: logged, behind and none are rooms by durability,
acked is a logged room whose every call is acknowledged; plain and signalr-plain have neither presence nor reach.
signalr has its sockets on a relay; signalr-publishes and kestrel-publishes are calls that publish to the caller's own
room. logged-sse is logged, with subscribers on event streams; rpc and rpc-post call a hub in JSON-RPC over a WebSocket
and by POST; logged-grpc is logged, with subscribers on Subscribe, and grpc-unary calls Invoke. node-sse and node-rpc
are the same, written by hand on Node's http. rest is a logged room that a service publishes to over the REST interface,
rest-none one without a log; node-push (ws) and socket.io-push have an endpoint written by hand for that. Those check a
token on every request.

npm run bench -- counts      rows, calls, alarms and wakes of each operation, in exact numbers
npm run bench -- growth      CPU of an operation as sockets, rooms, history and places grow
npm run bench -- costs       what loads cost a month, from the counts and from published prices
npm run bench -- patches     bytes of a state's update, beside Yjs and Colyseus
npm run bench -- placement   where a million connections would go, and what the loss of relays does
Each has --help.
`;

const OPTIONS = {
  table: { type: "boolean", default: false },
  rounds: { type: "string", default: "3" },
  seconds: { type: "string" },
  only: { type: "string" },
  servers: { type: "string" },
  peers: { type: "string" },
  storage: { type: "string", default: existsSync("/dev/shm") ? "/dev/shm" : tmpdir() },
  json: { type: "string", default: join(import.meta.dirname, "results.json") },
  svg: { type: "string", default: join(import.meta.dirname, "results.svg") },
  help: { type: "boolean", default: false },
} as const;

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    return fail((error as Error).message);
  }
}

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
}

async function measureAll({ rounds, seconds, cases }: Plan): Promise<Point[]> {
  const bundles = await temporaryFolder();
  await buildWorkers(bundles);
  const needed = [...new Set(cases.flatMap(({ servers }) => servers))];
  const available = availableServers(needed, bundles, log);
  const points: Point[] = [];
  for (let round = 1; round <= rounds; round++)
    for (const benchCase of cases)
      for (const server of benchCase.servers.filter((name) => available.includes(name))) {
        const task = { server, seconds, ...loadOf(benchCase) };
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

/** Everything that a table must say of itself: one commit, one run, one machine. */
const aboutRun = (storage: string) => ({
  at: new Date().toISOString(),
  ...commit(),
  storage: storageKind(storage),
  cpu: cpus()[0]?.model ?? "",
  cores: cpus().length,
  kernel: release(),
  node: process.version,
  workerd: relative(join(import.meta.dirname, ".."), workerdPath()),
  pinned: isPinned,
  load: loadavg()[0],
});

/** The cases that were asked for, and in each the servers. */
function casesFor({ only, table, servers, peers }: ReturnType<typeof parsed>): Case[] {
  const all = CASES.map(({ name }) => name);
  const names = only === undefined ? all : namesFrom(only, all);
  const asked = servers ?? peers;
  const known = asked === undefined ? ALL_SERVERS : namesFrom(asked, ALL_SERVERS);
  return CASES.filter(({ name }) => names.includes(name)).flatMap((one) => {
    const own = (table ? (one.table ?? []) : one.servers).filter((name) => known.includes(name));
    return own.length > 0 ? [{ ...one, servers: own }] : [];
  });
}

export async function runAll(args: readonly string[]): Promise<boolean> {
  const options = parsed(args);
  if (options.help) return process.stdout.write(HELP);
  cleanUpAtExit();
  useStorage(options.storage);
  const plan = {
    rounds: positive("rounds", options.rounds),
    seconds: positive("seconds", options.seconds ?? (options.table ? "3" : "4")),
    cases: casesFor(options),
  };
  const about = aboutRun(options.storage);
  if (!isPinned) log("Nothing is pinned to a core: taskset is missing, or there is only one.");
  const points = await measureAll(plan);
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
  return true;
}
