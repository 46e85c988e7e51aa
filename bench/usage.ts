// CPU use from Linux's /proc: of the server, of this process, and of all others.

import { readFileSync } from "node:fs";

/** CPU time in seconds, since boot or start of the process. */
interface Reading {
  readonly at: number;
  readonly server: number;
  readonly own: number;
  readonly all: number;
}

export interface Usage {
  readonly seconds: number;
  /** CPU use, in cores. */
  readonly server: number;
  readonly client: number;
  readonly foreign: number;
}

/** `_SC_CLK_TCK`: 100 on every Linux that Node runs on. */
const TICKS = 100;

function ofProcess(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Everything but idle and I/O wait; steal counts as other processes. */
function ofMachine(): number {
  const [line = ""] = readFileSync("/proc/stat", "latin1").split("\n");
  const [user, nice, system, , , irq, softirq, steal] = line.split(/ +/).slice(1).map(Number);
  return (user! + nice! + system! + irq! + softirq! + steal!) / TICKS;
}

function own(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export const readUsage = (pids: readonly number[]): Reading => ({
  at: performance.now(),
  server: pids.reduce((sum, pid) => sum + ofProcess(pid), 0),
  own: own(),
  all: ofMachine(),
});

/** `idleSeconds` is the time that this process spent spinning. */
export function usageBetween(from: Reading, to: Reading, idleSeconds = 0): Usage {
  const seconds = (to.at - from.at) / 1_000;
  const [server, mine] = [to.server - from.server, to.own - from.own];
  return {
    seconds,
    server: server / seconds,
    client: (mine - idleSeconds) / seconds,
    foreign: Math.max(0, to.all - from.all - server - mine) / seconds,
  };
}

/** Resident memory of the processes, in bytes. */
export const residentBytes = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + residentBytesOf(pid), 0);

function residentBytesOf(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  return Number(kib) * 1024;
}
