// Selects the servers that can run on this machine, and reports why others cannot.

import { spawnSync } from "node:child_process";
import { buildKestrel, type Kestrel } from "./dotnet.ts";

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
