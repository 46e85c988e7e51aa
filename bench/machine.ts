// Selects the servers that can run on this machine, and reports why others cannot.

import { spawnSync } from "node:child_process";
import { statfsSync } from "node:fs";
import { buildKestrel, type Kestrel } from "./dotnet.ts";

/** Numbers of file systems, of Linux's magic.h. */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x01021994, "tmpfs"],
  [0xef53, "ext4"],
  [0x794c7630, "overlayfs"],
  [0x58465342, "xfs"],
  [0x9123683e, "btrfs"],
]);

/** Rows are durable on a disk only: what they cost depends on it. */
export function storageKind(folder: string): string {
  const { type } = statfsSync(folder);
  return FILE_SYSTEMS.get(type) ?? `file system 0x${type.toString(16)}`;
}

const git = (...args: string[]): string =>
  spawnSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).stdout?.trim() ?? "";

/** What was measured; `changed` where it is not what the commit has. */
export const commit = () => ({
  commit: git("rev-parse", "--short", "HEAD"),
  changed: git("status", "--porcelain", "--", "../src", ".") !== "",
});

const isInstalled = (command: string): boolean => !spawnSync(command, ["--version"]).error;

const NEEDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["nats", ["nats-server"]],
  ["kestrel", ["dotnet"]],
  ["kestrel-publishes", ["dotnet"]],
  ["kestrel-msgpack", ["dotnet"]],
  ["kestrel-redis", ["dotnet", "redis-server"]],
]);

/**
 * The requested servers that can run here; builds those that need it. `report` gets a line for each that is left out.
 */
export function availableServers(
  requested: readonly string[],
  bundles: string,
  report: (line: string) => void,
): string[] {
  const found = requested.filter((server) => {
    const missing = NEEDS.get(server)?.find((command) => !isInstalled(command));
    if (missing !== undefined) report(`${server} is left out: ${missing} is not here.`);
    return missing === undefined;
  });
  if (!found.some(isKestrel)) return found;
  const kestrel = buildKestrel(bundles);
  return found.filter((server) => {
    const reason = objection(server, kestrel);
    if (reason !== undefined) report(`${server} is left out: ${reason}`);
    return reason === undefined;
  });
}

/** Their packages are not everywhere. */
const NEEDS_ALL: ReadonlySet<string> = new Set(["kestrel-msgpack", "kestrel-redis"]);

const isKestrel = (server: string): boolean => server.startsWith("kestrel");

function objection(server: string, kestrel: Kestrel): string | undefined {
  if (!NEEDS_ALL.has(server) || kestrel === "whole") return undefined;
  return "NuGet has no Microsoft.AspNetCore.SignalR.Protocols.MessagePack or .StackExchangeRedis here.";
}
