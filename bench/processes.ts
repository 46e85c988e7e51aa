// Child processes and temporary folders that do not outlive the bench. Each process is pinned to a core and killed by
// pid.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";

const children = new Set<ChildProcess>();
const folders = new Set<string>();

/** Whether server and load generator have a core each. */
export const isPinned =
  availableParallelism() > 1 && spawnSync("taskset", ["-c", "0", "true"]).status === 0;

type Core = 0 | 1;

/** taskset replaces itself by the command, so the pid is the command's own. */
export function start(core: Core, command: readonly string[]): ChildProcess {
  const [file, ...args] = isPinned ? ["taskset", "-c", String(core), ...command] : command;
  const child = spawn(file!, args, { stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}

let storage = tmpdir();

/** The folder that temporary folders are made in from now on. */
export function useStorage(folder: string): void {
  storage = folder;
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(storage, "dormouse-bench-"));
  folders.add(folder);
  return folder;
}

export async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  folders.delete(folder);
}

/** Removes processes and folders at exit, also when the run was interrupted or failed. */
export function cleanUpAtExit(): void {
  process.once("exit", () => {
    for (const child of children) child.kill("SIGKILL");
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => process.exit(130));
}
