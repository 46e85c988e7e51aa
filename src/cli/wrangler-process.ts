// Runs `wrangler dev` and ends every process of it. Options and output are up to the callers: dev.ts and the tests.

import type { ChildProcess } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { endGroup, spawnGroup } from "./process-group.ts";
import { wranglerProgram } from "./wrangler-package.ts";

/** [build] of wrangler.toml runs on this process's Node: the first one on the path may be too old for TypeScript. */
const PATH = [dirname(process.execPath), process.env["PATH"]].join(delimiter);

/** Disables telemetry and update checks. Variables of the environment take precedence. */
const LOCAL = {
  // wrangler 4.164 keeps every event in a local log store, which throttles sockets below 1,000 messages a second.
  X_LOCAL_OBSERVABILITY: "false",
  X_LOCAL_EXPLORER: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_NO_SKILLS_UPDATE_PROMPTS: "true",
  WRANGLER_WRITE_LOGS: "false",
  // The banner also checks for updates.
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

interface WranglerOptions {
  /** The folder with wrangler.toml. */
  readonly cwd: string;
  /** Arguments after `wrangler dev`. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Receives the output. Absent: it is written to this process's output. */
  readonly onOutput?: (text: string) => void;
}

/** wrangler ended before it served a request. */
export class EarlyEndError extends Error {
  constructor() {
    super("wrangler ended before it was ready.");
  }
}

export interface WranglerRun {
  /** Resolves once requests are served; rejects if wrangler ends before that. */
  readonly ready: Promise<{ readonly port: number }>;
  readonly ended: Promise<void>;
  /** Ends wrangler and all its processes: at once, or with SIGTERM first and SIGKILL after `graceMs`. */
  end(graceMs?: number): Promise<void>;
}

export function wranglerDev({ cwd, args, env, onOutput }: WranglerOptions): WranglerRun {
  const output = onOutput ? "pipe" : "inherit";
  const quiet = ["--show-interactive-dev-session=false", ...args];
  const child = spawnGroup(process.execPath, [wranglerProgram(cwd), "dev", ...quiet], {
    ...{ cwd, output },
    env: { ...LOCAL, ...process.env, PATH, ...env },
    channel: "ipc",
  });
  if (onOutput) {
    child.stdout?.setEncoding("utf8").on("data", onOutput);
    child.stderr?.setEncoding("utf8").on("data", onOutput);
  }
  const ended = whenEnded(child);
  return { ready: whenReady(child), ended, end: (graceMs = 0) => endGroup(child, graceMs) };
}

function whenEnded(child: ChildProcess): Promise<void> {
  const promise = new Promise<void>((resolve, reject) => {
    child.once("exit", () => resolve());
    child.once("error", (cause) => reject(new Error(NO_SHELL, { cause })));
  });
  // Callers may await only `ready`: then a rejection of this promise must not be reported as unhandled.
  promise.catch(() => {});
  return promise;
}

const NO_SHELL = "There is no POSIX shell (sh), which runs wrangler here. On Windows, use WSL.";

function whenReady(child: ChildProcess): Promise<{ port: number }> {
  const promise = new Promise<{ port: number }>((resolve, reject) => {
    // wrangler reports its address to a parent with an IPC channel, which the shell passes on.
    child.on("message", (message) => {
      const { event, port } = JSON.parse(String(message)) as { event?: string; port?: number };
      if (event === "DEV_SERVER_READY" && port !== undefined) resolve({ port });
    });
    child.once("error", reject);
    child.once("exit", () => reject(new EarlyEndError()));
  });
  // The rejection reaches callers that await `ready`, and must not crash the others.
  promise.catch(() => {});
  return promise;
}
