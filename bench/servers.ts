// A fresh server for every measurement, and a client process that measures it.

import type { ChildProcess } from "node:child_process";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { configure, workerdPath, type WorkerName } from "./build.ts";
import { OURS, type Figures, type Job } from "./cases.ts";
import { remove, start, stop, temporaryFolder } from "./processes.ts";

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  readonly folder: string;
}

async function startServer(name: string, bundles: string): Promise<Server> {
  const [port, folder] = [await freePort(), await temporaryFolder()];
  const child = start(0, await commandOf(name, { bundles, folder, port }));
  child.stdout?.resume();
  child.stderr?.on("data", (data: Buffer) => process.stderr.write(`${name}: ${data.toString()}`));
  try {
    await reachable(child, port);
    return { child, port, folder };
  } catch (error) {
    await stop(child);
    await remove(folder);
    throw error;
  }
}

interface Place {
  readonly bundles: string;
  readonly folder: string;
  readonly port: number;
}

async function commandOf(name: string, place: Place): Promise<string[]> {
  const peer = NODE_PEERS.get(name);
  if (peer) return [process.execPath, join(import.meta.dirname, "peers", peer), String(place.port)];
  const config = await configure({ ...place, worker: workerOf(name) });
  return [workerdPath(), "serve", "--experimental", config];
}

const NODE_PEERS: ReadonlyMap<string, string> = new Map([
  ["ws", "ws.ts"],
  ["socket.io", "socket-io.ts"],
]);

const workerOf = (name: string): WorkerName =>
  OURS.some((own) => own === name) ? "ours" : name === "bare" ? "bare" : "partyserver";

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

const LOOKS = 400;
const LOOK_MS = 25;

async function reachable(child: ChildProcess, port: number): Promise<void> {
  for (let look = 0; look < LOOKS && child.exitCode === null; look++) {
    // oxlint-disable-next-line no-await-in-loop -- one look after another
    if (await answers(port)) return;
    // oxlint-disable-next-line no-await-in-loop
    await sleep(LOOK_MS);
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

export type Task = Omit<Job, "port" | "serverPid">;

/** One measurement. Throws where the client could not do its job. */
export async function measure(task: Task, bundles: string): Promise<Figures> {
  const { child, port, folder } = await startServer(task.server, bundles);
  try {
    return await runClient({ ...task, port, serverPid: child.pid! });
  } finally {
    await stop(child);
    await remove(folder);
  }
}

async function runClient(job: Job): Promise<Figures> {
  const script = join(import.meta.dirname, "client.ts");
  const client = start(1, [process.execPath, script, JSON.stringify(job)]);
  const [said, complained] = await Promise.all([text(client.stdout!), text(client.stderr!)]);
  if (said === "") throw new Error(complained.slice(0, 2_000) || "The client said nothing.");
  if (complained !== "") process.stderr.write(complained.slice(0, 2_000));
  return JSON.parse(said) as Figures;
}
