// The peer on ASP.NET Core, built in a temporary folder where there is a .NET, and as whole as NuGet lets it be.

import { spawnSync } from "node:child_process";
import { join } from "node:path";

const PROJECT = join(import.meta.dirname, "peers", "kestrel");
/** No build server stays behind. */
const ENV = { ...process.env, MSBUILDDISABLENODEREUSE: "1", DOTNET_CLI_USE_MSBUILD_SERVER: "0" };

const programIn = (bundles: string): string => join(bundles, "kestrel", "Kestrel.dll");

/** How it is started; `redis` is where the backplane is. */
export const kestrelCommand = (bundles: string, port: number, redis?: string): string[] => [
  ...["dotnet", programIn(bundles), String(port)],
  ...(redis === undefined ? [] : ["--redis", redis]),
];

export type Kestrel = "whole" | "json";

/** What could be built: all of it, or what needs no packages. */
export function buildKestrel(bundles: string): Kestrel {
  if (publish(bundles, true).ok) return "whole";
  const { ok, output } = publish(bundles, false);
  if (!ok) throw new Error(`The peer on Kestrel cannot be built:\n${output}`);
  return "json";
}

function publish(bundles: string, whole: boolean) {
  const args = [
    ...["publish", PROJECT, "-c", "Release", "--nologo", "--verbosity", "quiet"],
    ...["--artifacts-path", join(bundles, "kestrel-build"), "-o", join(bundles, "kestrel")],
    ...[`-p:Whole=${whole}`, "-p:UseSharedCompilation=false"],
  ];
  const { status, stdout, stderr } = spawnSync("dotnet", args, { env: ENV, encoding: "utf8" });
  return { ok: status === 0, output: `${stdout}${stderr}` };
}
