// Runs `wrangler dev` so that nothing of it outlives us. Flags and words are for the callers: dev.ts and the tests.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";

const WRANGLER = fileURLToPath(
  new URL("../node_modules/wrangler/bin/wrangler.js", import.meta.url),
);

/** [build] of wrangler.toml runs on our own Node: another on the path may be too old for TypeScript. */
const PATH = [dirname(process.execPath), process.env["PATH"]].join(delimiter);

/** Local means local. The environment may say otherwise. */
const LOCAL = {
  // wrangler 4.164 keeps every event in a local log store, which throttles sockets below 1,000 messages a second.
  X_LOCAL_OBSERVABILITY: "false",
  X_LOCAL_EXPLORER: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_NO_SKILLS_UPDATE_PROMPTS: "true",
  WRANGLER_WRITE_LOGS: "false",
  // The banner is also what looks for updates.
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

/**
 * The shell leads a process group and waits for the end of its input, whose other end we hold: when we end, however we
 * end, it kills the group. When wrangler ends first, what it left behind goes with it.
 */
const GUARD = '{ "$@"; kill -9 0; } </dev/null & cat >/dev/null; kill -9 0';

export interface WranglerOptions {
  /** The folder with wrangler.toml. */
  readonly cwd: string;
  /** What follows `wrangler dev`. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where its output goes; without it, to our own. */
  readonly onOutput?: (text: string) => void;
}

export interface WranglerRun {
  /** Resolves once requests are answered; rejects if wrangler ends first. */
  readonly ready: Promise<{ readonly port: number }>;
  readonly ended: Promise<void>;
  /** Ends wrangler and its engines: at once, or after asking and waiting for the grace. */
  end(graceMs?: number): Promise<void>;
}

export function wranglerDev({ cwd, args, env, onOutput }: WranglerOptions): WranglerRun {
  const output = onOutput ? "pipe" : "inherit";
  const quiet = ["--show-interactive-dev-session=false", ...args];
  const child = spawn("sh", ["-c", GUARD, "sh", process.execPath, WRANGLER, "dev", ...quiet], {
    cwd,
    env: { ...LOCAL, ...process.env, PATH, ...env },
    // A group of its own, so that Ctrl-C reaches us alone and workerd cannot be left behind.
    detached: true,
    stdio: ["pipe", output, output, "ipc"],
  });
  if (onOutput) {
    child.stdout?.setEncoding("utf8").on("data", onOutput);
    child.stderr?.setEncoding("utf8").on("data", onOutput);
  }
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return { ready: whenReady(child), ended, end: (graceMs = 0) => endGroup(child, graceMs) };
}

function whenReady(child: ChildProcess): Promise<{ port: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ port: number }>();
  // wrangler tells a parent with an IPC channel where it listens; the shell passes the channel on.
  child.on("message", (message) => {
    const { event, port } = JSON.parse(String(message)) as { event?: string; port?: number };
    if (event === "DEV_SERVER_READY" && port !== undefined) resolve({ port });
  });
  child.once("error", reject);
  child.once("exit", () => reject(new Error("wrangler ended before it was ready.")));
  // Whoever waits for readiness sees the rejection; whoever does not should not crash on it.
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
    // ESRCH: everyone has left already. macOS says EPERM when only the dead are left.
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

/** The dead whom a lazy init has not buried do not count: they hold neither port nor file. */
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
    // Nobody there, or only the dead.
    return false;
  }
}
