// The worker under `workerd serve`, bundled as it is deployed: a process of its own, with storage of its own, whose
// memory can be read. Bound to 127.0.0.1.

import { createHmac, randomUUID } from "node:crypto";
import { spawn, type ChildProcess } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { build, type Plugin } from "esbuild";
import { workerdPath } from "../../bench/build.ts";
import { WORKER_BUNDLE } from "../../scripts/worker-bundle.ts";
import { freePort } from "../support/endpoint.ts";
import { CLASSES, engineConfiguration } from "../support/engine-configuration.ts";
import { heapOf, type Heap } from "./heap.ts";

export interface ServerOptions {
  /** The checkout whose `src/` is attacked. */
  readonly root: string;
  readonly vars?: Readonly<Record<string, string>>;
}

const SECRET = "a secret of the attacks, 32 bytes or more";
const ISSUER = "attacks";
export const ACCESS_KEY = "an-access-key-of-the-attacks-with-32-bytes-or-more";
const READY_MS = 60_000;
const OBJECT_FILE = /[0-9a-f]{64}\.sqlite$/;

const base64Url = (part: object | string): string =>
  Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");

/** A JWT over claims, or over their text as it is to be sent. */
export function signed(claims: object | string, key: string): string {
  const text = `${base64Url({ alg: "HS256", typ: "JWT" })}.${base64Url(claims)}`;
  return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
}

export const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

export class Server implements AsyncDisposable {
  readonly port: number;
  readonly #inspector: number;
  readonly #folder: string;
  #process: ChildProcess | undefined;
  /** All that the process has written. */
  logs = "";

  private constructor(folder: string, port: number, inspector: number) {
    [this.#folder, this.port, this.#inspector] = [folder, port, inspector];
  }

  static async start(options: ServerOptions): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), "dormouse-attack-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
    const server = new Server(folder, await freePort(), await freePort());
    mkdirSync(server.disk);
    await bundle(options.root, join(folder, "worker.js"));
    writeFileSync(join(folder, "config.capnp"), server.#config(options.vars ?? {}));
    await server.begin();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Where objects keep their files. */
  get disk(): string {
    return join(this.#folder, "disk");
  }

  get pid(): number {
    return this.#process!.pid!;
  }

  async begin(): Promise<void> {
    const args = [
      ...["serve", "--experimental", `--inspector-addr=127.0.0.1:${this.#inspector}`],
      `--socket-addr=http=127.0.0.1:${this.port}`,
      join(this.#folder, "config.capnp"),
    ];
    const child = spawn(workerdPath(), args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    process.once("exit", () => child.kill("SIGKILL"));
    for (const output of [child.stdout, child.stderr])
      output.setEncoding("utf8").on("data", (text: string) => (this.logs += text));
    const deadline = performance.now() + READY_MS;
    while (!(await this.#answers())) {
      if (child.exitCode !== null || performance.now() > deadline)
        throw new Error(`workerd does not answer. It wrote: ${this.logs.slice(-2_000)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #answers(): Promise<boolean> {
    const response = await fetch(`${this.url}/hubs/hall/rpc`, {
      signal: AbortSignal.timeout(10_000),
    }).catch(() => undefined);
    return response !== undefined;
  }

  /** SIGKILL; what is stored stays. */
  async kill(): Promise<void> {
    const child = this.#process!;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  token(user: string, claims: object = {}, ttlSeconds = 3_600): string {
    const now = nowSeconds();
    const own = { sub: user, iss: ISSUER, aud: ISSUER, iat: now, exp: now + ttlSeconds };
    return signed({ jti: randomUUID(), ...own, ...claims }, SECRET);
  }

  /** A service's token for this URL. */
  serviceToken(url: string): string {
    return signed({ aud: url, exp: nowSeconds() + 3_600 }, ACCESS_KEY);
  }

  /** Resident memory of the process, bytes. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "latin1");
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  }

  /** What is alive in the isolate of the worker and its objects, after a collection of garbage. */
  async heap(): Promise<Heap> {
    await fetch(`${this.url}/attack/collect`, { method: "POST" });
    return heapOf(this.#inspector);
  }

  /** As after a crash of this object alone: its sockets end with 1006. A part of its name is enough. */
  async abort(name: string): Promise<void> {
    const url = `${this.url}/attack/abort?name=${encodeURIComponent(name)}`;
    const { ok } = await fetch(url, { method: "POST" });
    if (!ok) throw new Error(`There is no object ${name}.`);
  }

  /** Files of objects, whole paths. */
  files(named: RegExp = OBJECT_FILE): string[] {
    const files = readdirSync(this.disk, { recursive: true, encoding: "utf8" });
    return files.filter((file) => named.test(file)).map((file) => join(this.disk, file));
  }

  /**
   * Objects that store a row or a key, and the bytes of all files, write-ahead logs included. The engine makes a file
   * of some kilobytes for each object that was ever asked anything, and keeps it.
   */
  stored(): { objects: number; bytes: number } {
    const sizes = this.files(/\.sqlite(?:-wal)?$/).map(
      (file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0,
    );
    const objects = this.files().filter(isFilled).length;
    return { objects, bytes: sizes.reduce((sum, one) => sum + one, 0) };
  }

  #config(vars: Readonly<Record<string, string>>): string {
    const own = {
      JWT_SECRET: SECRET,
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: ISSUER,
      ACCESS_KEYS: ACCESS_KEY,
    };
    return engineConfiguration({
      ...{ classes: { ...CLASSES, BARE: "Bare" }, disk: this.disk },
      ...{ vars: { ...own, ...vars }, v8Flags: ["--expose-gc"] },
    });
  }
}

/** Whether it has a table of ours, or a key. */
function isFilled(file: string): boolean {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  const count = (what: string) =>
    Number(database.prepare(`SELECT count(*) AS n FROM ${what}`).get()?.["n"]);
  try {
    const tables = count(
      "sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'",
    );
    if (tables > 0) return true;
    return count("sqlite_master WHERE name = '_cf_KV'") > 0 && count("_cf_KV") > 0;
  } finally {
    database.close();
  }
}

/** Releases of before served gRPC without being asked. */
const grpcOf = (root: string): Plugin => ({
  name: "grpc",
  setup({ onResolve, onLoad }) {
    const path = join(root, "src/grpc-server.ts");
    const found = existsSync(path) ? { path } : { path, namespace: "none" };
    onResolve({ filter: /^dormouse-hubs\/server\/grpc$/ }, () => found);
    onLoad({ filter: /./, namespace: "none" }, () => ({ contents: "export let grpc;" }));
  },
});

const bundle = (root: string, outfile: string) =>
  build({
    ...WORKER_BUNDLE,
    ...{ entryPoints: [join(import.meta.dirname, "../support/attack-worker.ts")], outfile },
    // As wrangler does.
    keepNames: false,
    alias: {
      "dormouse-hubs/hub": join(root, "src/hub.ts"),
      "dormouse-hubs/server": join(root, "src/server.ts"),
    },
    plugins: [grpcOf(root)],
  });
