// The peer on ASP.NET Core: built in a temporary folder where .NET is installed, with as many features as NuGet
// permits.

import { spawnSync } from "node:child_process";
import { join } from "node:path";

const PROJECT = join(import.meta.dirname, "peers", "kestrel");
/** No build server outlives the build. */
const ENV = { ...process.env, MSBUILDDISABLENODEREUSE: "1", DOTNET_CLI_USE_MSBUILD_SERVER: "0" };

const programIn = (bundles: string): string => join(bundles, "kestrel", "Kestrel.dll");

/** The command line. `redis` is the backplane's address. */
export const kestrelCommand = (bundles: string, port: number, redis?: string): string[] => [
  ...["dotnet", programIn(bundles), String(port)],
  ...(redis === undefined ? [] : ["--redis", redis]),
];

export type Kestrel = "whole" | "json";

/** Builds the peer: with all features ("whole"), or without NuGet packages, with JSON only ("json"). */
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
