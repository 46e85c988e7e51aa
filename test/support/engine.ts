// The endpoint in the bare engine: workerd with our worker, bundled once for all files of a run. It starts for an
// eighth of the CPU of `wrangler dev`. It has no static assets, no log, and none of wrangler's own worker before ours:
// a body that is not read ends the HTTP connection, and a reset of a socket may stay unreported
// (docs/design/platform.md#pl7).

import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { inject, vi } from "vitest";
import { workerdPath } from "../../bench/build.ts";
import { endGroup, spawnGroup } from "../../src/cli/process-group.ts";
import { signToken } from "../../src/cli/sign-token.ts";
import { engineConfiguration } from "./engine-configuration.ts";
import { freePort, isFree, varsOf, type EndpointOptions, type OwnEndpoint } from "./endpoint.ts";

export interface EngineOptions extends Pick<EndpointOptions, "vars"> {
  /** A file of this folder. Default: the project's worker. */
  readonly worker?: string;
  /** Where objects keep their files. Default: a folder that ends with the engine. */
  readonly disk?: string;
}

/** Listens at a free port, and after a kill at the same. */
export async function startEngine(options: EngineOptions = {}): Promise<OwnEndpoint> {
  const own = mkdtempSync(join(tmpdir(), "dormouse-engine-"));
  const { vars, keys } = varsOf(options);
  const { disk = join(own, "disk") } = options;
  mkdirSync(disk, { recursive: true });
  const file = join(own, "config.capnp");
  symlinkSync(await bundled(options.worker ?? "../../src/worker.ts"), join(own, "worker.js"));
  writeFileSync(file, engineConfiguration({ disk, vars }), { mode: 0o600 });

  const port = await freePort();
  let engine = await begin(file, port);
  return {
    ...{ url: `http://127.0.0.1:${port}`, port, keys },
    token: (user, claims = {}, ttlSeconds = 3_600) => signToken(keys, { user, claims, ttlSeconds }),
    kill: () => endGroup(engine, 0),
    async restart() {
      await endGroup(engine, 0);
      // Another run of tests may look at this moment whether the port is free, by listening.
      await vi.waitUntil(() => isFree(port));
      engine = await begin(file, port);
    },
    async [Symbol.asyncDispose]() {
      await endGroup(engine, 0);
      rmSync(own, { recursive: true, force: true });
    },
  };
}

/** With hubs that only tests need, beside the endpoint's own. */
export const startTestEngine = (options: EngineOptions = {}): Promise<OwnEndpoint> =>
  startEngine({ worker: "signalr-worker.ts", ...options });

/** The path of the bundle, made once for all files of a run. */
async function bundled(worker: string): Promise<string> {
  const response = await fetch(`${inject("sharedEndpoints")}/bundle/${encodeURIComponent(worker)}`);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

/** Resolves once it listens. */
async function begin(file: string, port: number): Promise<ChildProcess> {
  const args = ["serve", "--experimental", `--socket-addr=http=127.0.0.1:${port}`];
  const child = spawnGroup(workerdPath(), [...args, "--control-fd=3", file], {
    ...{ env: process.env, output: "pipe", channel: "pipe" },
  });
  let logs = "";
  for (const output of [child.stdout, child.stderr])
    output?.setEncoding("utf8").on("data", (text: string) => (logs = (logs + text).slice(-4_000)));
  for await (const line of createInterface(child.stdio[3] as Readable)) {
    const { event } = JSON.parse(line) as { readonly event?: string };
    if (event === "listen") return child;
  }
  throw new Error(`workerd ended before it listened. It wrote: ${logs}`);
}
