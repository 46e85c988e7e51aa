// `npm run bench`: rounds of all servers, one after another, each measurement with fresh processes.

import { writeFile } from "node:fs/promises";
import { cpus, loadavg, release } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { buildWorkers, workerdPath } from "./build.ts";
import { ALL_SERVERS, CASES, type Case, type Figures } from "./cases.ts";
import { judgeAll } from "./gates.ts";
import { serversHere } from "./machine.ts";
import { cleanUpAtExit, pinned, temporaryFolder } from "./processes.ts";
import { gatesOf, tablesOf } from "./report.ts";
import { isDisturbed, isFaulty, resultsOf, type Point } from "./results.ts";
import { measure, type Task } from "./servers.ts";
import { plot } from "./svg.ts";

const HELP = `npm run bench -- [options]

Measures our rooms beside ws, socket.io, partyserver, a bare hibernating object, nats-server and ASP.NET Core SignalR
on Kestrel, on this machine and on Linux. Servers that are not on the machine are left out.
Everything binds to 127.0.0.1; frames are not compressed. Figures are comparable within one run only.

  --rounds N        how often everything is measured; figures are medians (3)
  --seconds N       how long a load lasts each time (4)
  --only a,b        cases: ${CASES.map(({ name }) => name).join(", ")}
  --servers a,b     servers: ${ALL_SERVERS.join(", ")}
  --peers a,b       the same as --servers
  --json PATH       results as JSON (bench/results.json)
  --svg PATH        results as a plot (bench/results.svg)
  --help

Servers of ours: logged, behind and none are rooms by what they keep, with neither presence nor reach; full is a
logged room with presence and reach as hubs have them by default, and every call in it is acknowledged. signalr has its
sockets on a relay. logged-sse is logged, heard as events over HTTP; rpc and rpc-post call a hub in JSON-RPC over a
WebSocket and by POST; logged-grpc is logged, heard by Subscribe, and grpc-unary calls Invoke. node-sse and node-rpc are
what one writes by hand on Node's http for the same. rest is a logged room that a service pushes to over the REST interface,
rest-none one without a log; node-push (ws) and socket.io-push have an endpoint by hand for that. All four check a token on
every request.
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

function among(given: string, known: readonly string[]): string[] {
  const names = given.split(",").map((name) => name.trim());
  const strange = names.find((name) => !known.includes(name));
  return strange === undefined ? names : fail(`"${strange}" is none of ${known.join(", ")}.`);
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
  const here = serversHere(needed, bundles, log);
  const points: Point[] = [];
  for (let round = 1; round <= rounds; round++)
    for (const measured of cases)
      for (const server of measured.servers.filter((name) => here.includes(name))) {
        const { kind, rooms, members, window, rate, batch } = measured;
        const task = {
          ...{ server, seconds, kind, rooms, members },
          ...(window !== undefined && { window }),
          ...(rate !== undefined && { rate }),
          ...(batch !== undefined && { batch }),
        };
        // Two at once would measure each other.
        // oxlint-disable-next-line no-await-in-loop
        const figures = await attempt(task, bundles);
        if (figures) points.push({ case: measured.name, server, round, figures });
        log(
          `${round}/${rounds} ${measured.name} ${server}: ${figures ? brief(figures) : "broken"}`,
        );
      }
  return points;
}

const TRIES = 3;

/** Again where somebody else was busy; the calmest of all is taken. */
async function attempt(task: Task, bundles: string): Promise<Figures | undefined> {
  let calmest: Figures | undefined;
  for (let turn = 0; turn < TRIES; turn++) {
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

const brief = (figures: Figures): string =>
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
  pinned,
  load: loadavg()[0],
});

async function main(): Promise<void> {
  if (options.help) return void process.stdout.write(HELP);
  cleanUpAtExit();
  const plan = {
    rounds: positive("rounds", options.rounds),
    seconds: positive("seconds", options.seconds),
    cases: CASES.filter(({ name }) => caseNames.includes(name)),
    servers: among(options.servers ?? options.peers ?? ALL_SERVERS.join(","), ALL_SERVERS),
  };
  const about = machine();
  if (!pinned) log("Nothing is pinned to a core: taskset is missing, or there is only one.");
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

const caseNames = among(
  options.only,
  CASES.map(({ name }) => name),
);

await main();
process.exit(0);
