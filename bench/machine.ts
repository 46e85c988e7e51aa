// Which of the servers can run on this machine, and why the others are left out.

import { spawnSync } from "node:child_process";
import { buildKestrel, type Kestrel } from "./dotnet.ts";

const isHere = (command: string): boolean => !spawnSync(command, ["--version"]).error;

const NEEDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["nats", ["nats-server"]],
  ["kestrel", ["dotnet"]],
  ["kestrel-msgpack", ["dotnet"]],
  ["kestrel-redis", ["dotnet", "redis-server"]],
]);

/** Builds what is asked for and can be built. Says who is left out, and why. */
export function serversHere(
  asked: readonly string[],
  bundles: string,
  say: (line: string) => void,
): string[] {
  const found = asked.filter((server) => {
    const missing = NEEDS.get(server)?.find((command) => !isHere(command));
    if (missing !== undefined) say(`${server} is left out: ${missing} is not here.`);
    return missing === undefined;
  });
  if (!found.some(isKestrel)) return found;
  const kestrel = buildKestrel(bundles);
  return found.filter((server) => {
    const reason = objection(server, kestrel);
    if (reason !== undefined) say(`${server} is left out: ${reason}`);
    return reason === undefined;
  });
}

const isKestrel = (server: string): boolean => server.startsWith("kestrel");

function objection(server: string, kestrel: Kestrel): string | undefined {
  if (!isKestrel(server) || server === "kestrel" || kestrel === "whole") return undefined;
  return "NuGet has no Microsoft.AspNetCore.SignalR.Protocols.MessagePack or .StackExchangeRedis here.";
}
