// Bundles the bench's workers with esbuild and writes their configurations for `workerd serve`, in a temporary folder.

import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { ACCESS_KEY, ISSUER, SECRET } from "./tokens.ts";
import { WORKER_BUNDLE } from "../scripts/worker-bundle.ts";

/** The binary that wrangler itself starts. The test plugin depends on an older one. */
export function workerdPath(): string {
  const wrangler = createRequire(import.meta.url).resolve("wrangler/package.json");
  return (createRequire(wrangler)("workerd") as { default: string }).default;
}

const WORKERS = ["ours", "bare", "limits", "partyserver"] as const;
export type WorkerName = (typeof WORKERS)[number];

/** Durable Objects by binding and class. partyserver derives the binding's name from the request's path. */
const ALL_OBJECTS = [
  ["ROOMS", "Room"],
  ["RELAYS", "Relay"],
  ["ACCOUNTS", "Account"],
] as const;
const BINDINGS = {
  ours: ALL_OBJECTS,
  limits: ALL_OBJECTS,
  bare: [["ROOMS", "Room"]],
  partyserver: [["room", "Room"]],
} as const;

export async function buildWorkers(folder: string): Promise<void> {
  await Promise.all(WORKERS.map((name) => buildWorker(name, join(folder, name))));
}

async function buildWorker(name: WorkerName, folder: string): Promise<void> {
  await mkdir(folder);
  await build({
    entryPoints: [join(import.meta.dirname, "workers", `${name}.ts`)],
    outfile: join(folder, "worker.js"),
    ...WORKER_BUNDLE,
    // As wrangler does.
    keepNames: false,
    sourcemap: "external",
  });
}

interface WorkerServer {
  readonly worker: WorkerName;
  /** The folder of all bundles. */
  readonly bundles: string;
  /** An empty folder for this server alone. */
  readonly folder: string;
  readonly port: number;
}

/** Writes the configuration and returns its path. Compression is off, and sockets bind to 127.0.0.1 only. */
export async function configure({ worker, bundles, folder, port }: WorkerServer): Promise<string> {
  const disk = join(folder, "disk");
  await mkdir(disk);
  await copyFile(join(bundles, worker, "worker.js"), join(folder, "worker.js"));
  const config = join(folder, "config.capnp");
  const bindings = BINDINGS[worker];
  await writeFile(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "disk", disk = (path = "${disk}", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-01",
  compatibilityFlags = ["no_web_socket_compression", "enable_request_signal"],
  bindings = [
    ${bindings.map(([name, object]) => `(name = "${name}", durableObjectNamespace = "${object}"),`).join(" ")}
    (name = "JWT_SECRET", text = "${SECRET}"),
    (name = "JWT_ISSUER", text = "${ISSUER}"),
    (name = "JWT_AUDIENCE", text = "${ISSUER}"),
    (name = "ACCESS_KEYS", text = "${ACCESS_KEY}"),
    (name = "REST_PER_SECOND", text = "1000000000"),
  ],
  durableObjectNamespaces = [
    ${bindings.map(([, object]) => `(className = "${object}", uniqueKey = "${object}", enableSql = true),`).join(" ")}
  ],
  durableObjectStorage = (localDisk = "disk"),
);
`,
  );
  return config;
}
