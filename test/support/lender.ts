// Holds what test files share: `GET /real`, `GET /test` and `GET /pages` answer where an endpoint is, `GET /package`
// where the tarball of the package is, `GET /bundle/:worker` where the bundle of a worker for the bare engine is. The
// first to ask has it started, or made.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { WORKER_BUNDLE } from "../../scripts/worker-bundle.ts";
import { startEndpoint, type Endpoint } from "./endpoint.ts";
import { pack } from "./pack.ts";
import type { Kind, Shared } from "./shared-endpoint.ts";
import { startTestEndpoint } from "./test-endpoint.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

const START: Readonly<Record<Kind, () => Promise<Endpoint>>> = {
  real: startEndpoint,
  test: startTestEndpoint,
  pages: () => startEndpoint({ vars: { DEV_TOKENS: "1", ADMIN: "1" } }),
};

export interface Lender extends AsyncDisposable {
  readonly url: string;
}

export async function lendEndpoints(): Promise<Lender> {
  const started = new Map<Kind, Promise<Endpoint>>();
  const files = new Map<string, Promise<string>>();
  const answerTo = async (name: string): Promise<string> => {
    if (name === "package") return once(files, name, () => pack(PROJECT));
    const [kind, worker] = name.split("/");
    if (worker !== undefined)
      return once(files, name, () => bundle(decodeURIComponent(worker), files.size));
    const { port, keys } = await once(started, kind as Kind, START[kind as Kind]);
    return JSON.stringify({ port, keys } satisfies Shared);
  };
  const server = createServer(({ url = "" }, response) => {
    answerTo(url.slice(1)).then(
      (answer) => response.end(answer),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      const ends = [...started.values()].map(async (one) => (await one)[Symbol.asyncDispose]());
      await Promise.allSettled(ends);
    },
  };
}

/** What the name has, which the first to ask has made. */
function once<K, V>(known: Map<K, V>, name: K, make: () => V): V {
  const value = known.get(name) ?? make();
  known.set(name, value);
  return value;
}

/** The path of a worker's bundle, in the folder of the run. */
async function bundle(worker: string, number: number): Promise<string> {
  const outfile = join(tmpdir(), `bundle-${number}.js`);
  await build({
    ...WORKER_BUNDLE,
    ...{ entryPoints: [join(import.meta.dirname, worker)], outfile },
  });
  return outfile;
}
