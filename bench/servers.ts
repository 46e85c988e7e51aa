// One measurement: starts a fresh server and a client process, and returns the client's figures.

import type { ChildProcess } from "node:child_process";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { configure, workerdPath, type WorkerName } from "./build.ts";
import { LIMITS, OURS_ALL } from "./server-names.ts";
import type { Figures, Job } from "./measurement.ts";
import { natsCommand, redisCommand } from "./daemons.ts";
import { kestrelCommand } from "./dotnet.ts";
import { remove, start, stop, temporaryFolder } from "./processes.ts";

interface Server {
  /** The server's process, then those it depends on. */
  readonly children: readonly ChildProcess[];
  readonly port: number;
  readonly folder: string;
}

async function startServer(name: string, bundles: string, watch?: Watch): Promise<Server> {
  const [port, folder] = [await freePort(), await temporaryFolder()];
  const children: ChildProcess[] = [];
  const server = { children, port, folder };
  const run = async (command: readonly string[], at: number): Promise<void> => {
    const child = start(0, command);
    children.unshift(child);
    child.stdout?.resume();
    child.stderr?.on("data", (data: Buffer) => process.stderr.write(`${name}: ${data.toString()}`));
    await reachable(child, at);
  };
  try {
    const redis = name === "kestrel-redis" ? await freePort() : undefined;
    if (redis !== undefined) await run(redisCommand(folder, redis), redis);
    const place = { bundles, folder, port, ...(redis !== undefined && { redis }) };
    const more = watch ? [`--inspector-addr=127.0.0.1:${watch.inspector}`] : [];
    await run([...(await commandOf(name, place)), ...more], port);
    return server;
  } catch (error) {
    await end(server);
    throw error;
  }
}

async function end({ children, folder }: Server): Promise<void> {
  await Promise.all(children.map(stop));
  await remove(folder);
}

interface Place {
  readonly bundles: string;
  readonly folder: string;
  readonly port: number;
  /** Port of the backplane, for servers behind one. */
  readonly redis?: number;
}

async function commandOf(name: string, place: Place): Promise<string[]> {
  const { port, bundles, folder, redis } = place;
  const peer = NODE_PEERS.get(name);
  if (peer) return [process.execPath, join(import.meta.dirname, "peers", peer), String(port)];
  if (name === "nats") return natsCommand(folder, port);
  if (name.startsWith("kestrel"))
    return kestrelCommand(bundles, port, redis === undefined ? undefined : `127.0.0.1:${redis}`);
  const config = await configure({ ...place, worker: workerOf(name) });
  return [workerdPath(), "serve", "--experimental", config];
}

const NODE_PEERS: ReadonlyMap<string, string> = new Map([
  ["ws", "ws.ts"],
  ["socket.io", "socket-io.ts"],
  ["node-sse", "sse.ts"],
  ["node-rpc", "rpc.ts"],
  ["node-push", "push.ts"],
  ["socket.io-push", "socket-io-push.ts"],
]);

export const workerOf = (name: string): WorkerName =>
  OURS_ALL.has(name)
    ? "ours"
    : LIMITS.has(name)
      ? "limits"
      : name === "bare"
        ? "bare"
        : "partyserver";

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

const POLLS = 400;
const POLL_MS = 25;

async function reachable(child: ChildProcess, port: number): Promise<void> {
  for (let poll = 0; poll < POLLS && child.exitCode === null; poll++) {
    // oxlint-disable-next-line no-await-in-loop -- one poll after another
    if (await answers(port)) return;
    // oxlint-disable-next-line no-await-in-loop
    await sleep(POLL_MS);
  }
  throw new Error(`Nothing answers on port ${port}.`);
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const done = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });

export type Task = Omit<Job, "port" | "serverPids">;

/** Looks into a worker while its client runs. */
interface Watch {
  /** Port of the worker's inspector. */
  readonly inspector: number;
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** Runs one measurement. Throws where server or client fail. */
export async function measure(task: Task, bundles: string, watch?: Watch): Promise<Figures> {
  const server = await startServer(task.server, bundles, watch);
  try {
    const serverPids = server.children.map(({ pid }) => pid!);
    const [figures] = await Promise.all([
      runClient({ ...task, port: server.port, serverPids }),
      watch?.begin(),
    ]);
    await watch?.end();
    return figures;
  } finally {
    await end(server);
  }
}

async function runClient(job: Job): Promise<Figures> {
  const script = join(import.meta.dirname, "client.ts");
  const client = start(1, [process.execPath, script, JSON.stringify(job)]);
  const [output, errors] = await Promise.all([text(client.stdout!), text(client.stderr!)]);
  if (output === "") throw new Error(errors.slice(0, 2_000) || "The client printed nothing.");
  if (errors !== "") process.stderr.write(errors.slice(0, 2_000));
  return JSON.parse(output) as Figures;
}
