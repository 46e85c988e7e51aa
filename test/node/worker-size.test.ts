// The size of the worker as it is deployed: bundled and minified as wrangler does it.

import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { OF_GRPC } from "../../src/cli/missing-packages.ts";
import { WORKER_BUNDLE } from "../../scripts/worker-bundle.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** Bytes of the bundle, the locales of zod in it, and packages that gRPC needs. */
async function bundled(contents: string) {
  const { metafile, outputFiles } = await build({
    ...WORKER_BUNDLE,
    ...{ stdin: { contents, resolveDir: PROJECT, loader: "ts" }, absWorkingDir: PROJECT },
    ...{ minify: true, write: false, metafile: true, outdir: "out" },
  });
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0),
  );
  const locales = used.flatMap(([file]) => /zod\/v4\/locales\/(\w+)\.js$/.exec(file)?.[1] ?? []);
  const ofGrpc = used.filter(([file]) => OF_GRPC.some((name) => file.includes(`/${name}/`)));
  return { bytes: outputFiles[0]!.contents.length, locales, ofGrpc: ofGrpc.length };
}

/** Measured 782,750, 637,680 and 596,950: a bundle that grows by more than a little is looked at. */
const MOST = { samples: 783_500, oneHub: 638_400, mini: 597_700 };

it(`the worker of the samples, with gRPC, has ${MOST.samples} bytes at most, with one language of zod`, async () => {
  const { bytes, locales } = await bundled('export * from "./src/worker.ts"; ');
  console.log(`The worker has ${bytes} bytes.`);
  expect(bytes).toBeLessThanOrEqual(MOST.samples);
  expect(locales).toEqual(["en"]);
});

it.each([
  ["zod", MOST.oneHub],
  ["zod/mini", MOST.mini],
])(
  "a hub with %s as docs/worker.md imports it brings no other language and no gRPC",
  async (zod, most) => {
    const { bytes, locales, ofGrpc } = await bundled(`
    import * as z from "${zod}";
    import { hub, method, serve } from "./src/server.ts";
    const GreetingHub = hub("greetings").methods({ greet: method([z.string()], () => {}) });
    export const { Room, Relay, Account, endpoint } = serve([GreetingHub]);
    export default endpoint;
  `);
    console.log(`A worker with one hub in ${zod} has ${bytes} bytes.`);
    expect(bytes).toBeLessThanOrEqual(most);
    expect([locales, ofGrpc]).toEqual([["en"], 0]);
  },
);
