// A page of another origin: a script from test/pages, served by itself on 127.0.0.1.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build, type BuildOptions } from "esbuild";

export interface Site extends Disposable {
  readonly origin: string;
}

/** Pages made up by the test driver have no address, and Chromium keeps those from servers on loopback. */
export async function startSite(script: string, options: BuildOptions = {}): Promise<Site> {
  const { outputFiles = [] } = await build({
    ...options,
    entryPoints: [script],
    ...{ bundle: true, format: "esm", target: "es2022", write: false },
  });
  const server = createServer(({ url }, response) =>
    url === "/page.js"
      ? response.setHeader("content-type", "text/javascript").end(outputFiles[0]!.text)
      : response.setHeader("content-type", "text/html").end(HTML),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => void server.close() };
}

const HTML = `<!doctype html><html lang="en"><title>A page</title><link rel="icon" href="data:,">
<body><script type="module" src="/page.js"></script></body></html>`;
