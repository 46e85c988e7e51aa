// Runs `wrangler dev` and ends every process of it. Options and output are up to the callers: dev.ts and the tests.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { wranglerProgram } from "./wrangler-package.ts";

/** [build] of wrangler.toml runs on our own Node: the first one on the path may be too old for TypeScript. */
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

/**
 * The shell leads a process group and waits for the end of its standard input, which this process holds open. When this
 * process ends, in whatever way, the shell kills the group; when wrangler ends first, the shell kills the rest of it.
 */
const GUARD = '{ "$@"; kill -9 0; } </dev/null & cat >/dev/null; kill -9 0';

interface WranglerOptions {
  /** The folder with wrangler.toml. */
  readonly cwd: string;
  /** Arguments after `wrangler dev`. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Receives the output. Absent: it goes to our own output. */
  readonly onOutput?: (text: string) => void;
}

/** wrangler ended before it served a request. */
export class EndedEarly extends Error {
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
  const child = spawn(
    "sh",
    ["-c", GUARD, "sh", process.execPath, wranglerProgram(cwd), "dev", ...quiet],
    {
      cwd,
      env: { ...LOCAL, ...process.env, PATH, ...env },
      // A process group of its own: Ctrl-C reaches this process alone, and workerd cannot be left behind.
      detached: true,
      stdio: ["pipe", output, output, "ipc"],
    },
  );
  if (onOutput) {
    child.stdout?.setEncoding("utf8").on("data", onOutput);
    child.stderr?.setEncoding("utf8").on("data", onOutput);
  }
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return { ready: whenReady(child), ended, end: (graceMs = 0) => endGroup(child, graceMs) };
}

function whenReady(child: ChildProcess): Promise<{ port: number }> {
  const promise = new Promise<{ port: number }>((resolve, reject) => {
    // wrangler reports its address to a parent with an IPC channel, which the shell passes on.
    child.on("message", (message) => {
      const { event, port } = JSON.parse(String(message)) as { event?: string; port?: number };
      if (event === "DEV_SERVER_READY" && port !== undefined) resolve({ port });
    });
    child.once("error", reject);
    child.once("exit", () => reject(new EndedEarly()));
  });
  // The rejection reaches callers that await `ready`, and must not crash the others.
  promise.catch(() => {});
  return promise;
}

async function endGroup(child: ChildProcess, graceMs: number): Promise<void> {
  const group = child.pid;
  if (group === undefined) return;
  if (graceMs > 0) {
    signal(group, "SIGTERM");
    if (await isGone(group, graceMs)) return;
  }
  // workerd ignores SIGTERM while a socket is open (docs/design/platform.md#pl28).
  signal(group, "SIGKILL");
  if (!(await isGone(group, 5_000))) throw new Error(`Process group ${group} survived SIGKILL.`);
}

function signal(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name);
  } catch (error) {
    // ESRCH: no process is left. macOS reports EPERM when only zombies are left.
    if (!["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

async function isGone(group: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (hasMembers(group)) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}

/** Whether the group has living processes. Zombies hold neither ports nor files, and do not count. */
function hasMembers(group: number): boolean {
  if (!existsSync("/proc/self/stat")) return answersSignals(group);
  return readdirSync("/proc").some((pid) => /^\d+$/.test(pid) && isAliveIn(group, pid));
}

function isAliveIn(group: number, pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(pgrp) === group && state !== "Z" && state !== "X";
  } catch {
    // It ended between the listing and the reading.
    return false;
  }
}

function answersSignals(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    // No process, or zombies only.
    return false;
  }
}
