// Process groups that end as a whole when the process that started them ends, or their own program, for any reason.

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";

/**
 * The shell leads a process group and waits for the end of its standard input, which this process holds open. When this
 * process ends, for any reason, the shell kills the group; when the program ends first, the shell kills the rest of it.
 */
const GUARD = '{ "$@"; kill -9 0; } </dev/null & cat >/dev/null; kill -9 0';

export interface GroupOptions {
  readonly cwd?: string;
  readonly env: NodeJS.ProcessEnv;
  /** The program's standard output and standard error. */
  readonly output: "pipe" | "inherit";
  /** The program's file descriptor 3: a channel for messages of Node, or a pipe to read from. */
  readonly channel: "ipc" | "pipe";
}

/** Starts a program in a group of its own. The returned child process is the shell that guards it. */
export function spawnGroup(
  program: string,
  args: readonly string[],
  { cwd, env, output, channel }: GroupOptions,
): ChildProcess {
  return spawn("sh", ["-c", GUARD, "sh", program, ...args], {
    ...(cwd !== undefined && { cwd }),
    env,
    // A process group of its own: Ctrl-C reaches only this process, which then ends the whole group.
    detached: true,
    stdio: ["pipe", output, output, channel],
  });
}

/** Ends all processes of the group: at once, or with SIGTERM first and SIGKILL after `graceMs`. */
export async function endGroup(child: ChildProcess, graceMs: number): Promise<void> {
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

/** Whether the group has living processes. Zombies without threads hold neither ports nor files, and do not count. */
function hasMembers(group: number): boolean {
  if (!existsSync("/proc/self/stat")) return answersSignals(group);
  return readdirSync("/proc").some((pid) => /^\d+$/.test(pid) && isAliveIn(group, pid));
}

/** Index of the number of threads among the fields of /proc/PID/stat after the name. */
const THREADS = 17;

function isAliveIn(group: number, pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, , pgrp] = fields;
    // The first thread of a killed process may be a zombie before its others have let go of the port.
    const isOver = state === "X" || (state === "Z" && Number(fields[THREADS]) <= 1);
    return Number(pgrp) === group && !isOver;
  } catch {
    // The process ended between the listing and the reading.
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
