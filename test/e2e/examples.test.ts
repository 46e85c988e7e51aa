// The examples, against the packed package: all hubs in one worker, and each client as its first line says.

import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { OF_GRPC } from "../../src/cli/missing-packages.ts";
import { WORKER_BUNDLE } from "../../scripts/worker-bundle.ts";
import { startEndpoint, type OwnEndpoint } from "../support/endpoint.ts";
import { install, link, run, type Installed } from "../support/installed.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const ACCESS_KEY = "a key of the service with 32 bytes or more";

/** What each client prints. */
const PRINTED = {
  notifications: "For all, For you",
  "order-channels": "placed, paid, shipped · shipped",
  "price-streams": "3 10000",
  "presence-chat": "bob is here, bob is typing, bob: hello",
  "json-rpc": "3 · Nothing is divided by zero.",
  "sse-feed": 'order-update {"id":"42","status":"shipped"}',
  grpc: "total [350]",
  push: "Dormouse wakes",
} as const;

/** Users of the second token; of the first it is alice. */
const SECOND: Readonly<Record<string, string>> = { "presence-chat": "bob" };

let project: Installed;
let endpoint: OwnEndpoint;
beforeAll(async () => {
  project = await install({ "package.json": JSON.stringify({ name: "examples", type: "module" }) });
  // Its tsconfig extends the project's.
  const filter = (file: string) => !file.endsWith("tsconfig.json");
  cpSync(EXAMPLES, project.folder, { recursive: true, filter });
  for (const name of [...OF_GRPC, "@connectrpc/connect-node"])
    link(join(project.folder, "node_modules"), name);
  endpoint = await startEndpoint({ folder: project.folder, vars: { ACCESS_KEYS: ACCESS_KEY } });
});
afterAll(async () => {
  await endpoint[Symbol.asyncDispose]();
  project[Symbol.dispose]();
});

it("are as many as there are folders", () => {
  const folders = readdirSync(EXAMPLES, { withFileTypes: true }).filter(
    (one) => one.isDirectory() && !one.name.startsWith("."),
  );
  expect(folders.map(({ name }) => name).toSorted()).toEqual(Object.keys(PRINTED).toSorted());
});

it.each(Object.keys(PRINTED) as (keyof typeof PRINTED)[])("%s", async (name) => {
  const file = join(name, "client.ts");
  const tokens = [
    await endpoint.token("alice"),
    await endpoint.token(SECOND[name] ?? "boss", SECOND[name] ? {} : { role: "Manager" }),
  ];
  const printed = await run(process.execPath, [file, endpoint.url, ...tokens], {
    cwd: project.folder,
    env: { ACCESS_KEY },
  });
  expect(printed).toBe(`${PRINTED[name]}\n`);
});

/** Not gRPC's: its client sends the body after the headers, and workerd has closed the connection by then. */
const TOLD = Object.keys(PRINTED).filter((name) => name !== "grpc");

it.each(TOLD)("%s says that a token is missing", async (name) => {
  const started = run(process.execPath, [join(name, "client.ts"), endpoint.url], {
    cwd: project.folder,
    env: { ACCESS_KEY },
  });
  await expect(started).rejects.toThrow(/A token is needed/);
});

it.each(Object.keys(PRINTED))("%s is a worker of its own", async (name) => {
  const { metafile } = await build({
    ...WORKER_BUNDLE,
    ...{ entryPoints: [join(project.folder, name, "worker.ts")], metafile: true, write: false },
  });
  const [output] = Object.values(metafile.outputs);
  expect(output!.exports).toEqual(expect.arrayContaining(["Room", "Relay", "Account", "default"]));
});
