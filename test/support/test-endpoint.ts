// The real endpoint with hubs that only tests need, beside its own.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEndpoint, type EndpointOptions, type DevEndpoint } from "./endpoint.ts";

const TOML = join(import.meta.dirname, "../../wrangler.toml");

export interface TestEndpointOptions extends Omit<EndpointOptions, "folder"> {
  /** A file of this folder. Default: the one for SignalR's clients. */
  readonly worker?: string;
}

/** wrangler.toml as it is, but for the worker; no demo is built. */
export async function startTestEndpoint(options: TestEndpointOptions = {}): Promise<DevEndpoint> {
  const worker = join(import.meta.dirname, options.worker ?? "signalr-worker.ts");
  const folder = mkdtempSync(join(tmpdir(), "dormouse-hubs-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const toml = readFileSync(TOML, "utf8")
    .replace(/^main = .*$/m, `main = ${JSON.stringify(worker)}`)
    .replaceAll(/^\[(?:build|assets)\]\n(?:[^[\n].*\n|\n)*/gm, "");
  writeFileSync(join(folder, "wrangler.toml"), toml);
  try {
    const endpoint = await startEndpoint({ ...options, folder });
    return {
      ...endpoint,
      async [Symbol.asyncDispose]() {
        await endpoint[Symbol.asyncDispose]();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
