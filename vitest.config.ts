// Projects: "workerd", "workerd-extra", "workerd-alone", "workerd-units" and "counts" run inside the real engine; "node"
// runs outside and drives the real `wrangler dev`.

import { availableParallelism } from "node:os";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { POLL_MS, TEST_MS } from "./test/support/patience.ts";
import { unitFiles } from "./test/support/unit-files.ts";

/** In place of .dev.vars, which a fresh checkout lacks; empty is what a developer's may set and tests must not see. */
const BINDINGS = {
  JWT_SECRET: "a secret of the tests, 32 bytes or more",
  JWT_ISSUER: "dormouse",
  JWT_AUDIENCE: "dormouse",
  JWT_JWKS_URL: "",
  ALLOWED_ORIGINS: "",
  DEV_TOKENS: "",
  DEVELOPMENT: "",
  JWT_ISSUERS: "",
  USER_ID_CLAIM: "",
  ROLES_CLAIM: "",
  TENANT_CLAIM: "",
  AUDIENCE_CLAIM: "",
  ACCESS_KEYS: "a key of the tests with 32 bytes or more,the key before it with 32 bytes or so",
  WEBHOOK_URL: "",
  WEBHOOK_CONNECT_URL: "",
};

const UNITS = unitFiles();

const PATIENT = { expect: { poll: { timeout: POLL_MS }, requireAssertions: true } };

/** Two more than there are cores: tests of the real endpoint wait more than they compute. */
const WORKERS = availableParallelism() + 2;

/** Inside the engine, by wrangler.toml. */
const inEngine = (main?: string, bindings: object = {}) =>
  cloudflareTest({
    ...(main !== undefined && { main }),
    wrangler: { configPath: "./wrangler.toml" },
    miniflare: { bindings: BINDINGS, ...bindings },
  });

/** What the hubs of docs/database.md, and `placed-worker.ts`, use beside the endpoint's own bindings. */
const DATABASES = {
  d1Databases: ["DB"],
  durableObjects: {
    STOCK: { className: "Stock", useSQLite: true },
    PLACED_ROOMS: { className: "PlacedRoom", useSQLite: true },
    PLACED_RELAYS: { className: "PlacedRelay", useSQLite: true },
    PLACED_ACCOUNTS: { className: "PlacedAccount", useSQLite: true },
    EU_ROOMS: { className: "EuRoom", useSQLite: true },
    EU_RELAYS: { className: "EuRelay", useSQLite: true },
    EU_ACCOUNTS: { className: "EuAccount", useSQLite: true },
  },
};

/** The package's own names, which those hubs import as an application does. */
const PACKAGE = Object.fromEntries(
  Object.entries({ hub: "hub", server: "server", testing: "dispatch/testing/testing" }).map(
    ([name, file]) => [`dormouse-hubs/${name}`, `${import.meta.dirname}/src/${file}.ts`],
  ),
);

/** Each file loads its modules one by one: these packages are one module each. */
const optimizer = {
  ssr: {
    enabled: true,
    include: [
      "zod",
      "zod/mini",
      "zod/v4/locales/en.js",
      "jose",
      "hono",
      "hono/route",
      "hono/hono-base",
      "hono/router/trie-router",
      "@connectrpc/connect",
      "@connectrpc/connect/protocol",
      "@connectrpc/connect/protocol-connect",
      "@connectrpc/connect/protocol-grpc-web",
      "@bufbuild/protobuf",
      "@bufbuild/protobuf/codegenv2",
      "@bufbuild/protobuf/wkt",
      "@msgpack/msgpack",
    ],
  },
};

/** Variables of the shell that tests read; the engine has an environment of its own. */
const { DORMOUSE_SEED, DORMOUSE_LONG } = process.env;

const IN_ENGINE = {
  ...PATIENT,
  env: {
    ...(DORMOUSE_SEED !== undefined && { DORMOUSE_SEED }),
    ...(DORMOUSE_LONG !== undefined && { DORMOUSE_LONG }),
  },
  deps: { optimizer },
  setupFiles: [
    "./test/support/main-module.ts",
    "./test/support/own-context.ts",
    "./test/support/waiting.ts",
  ],
  // An object's log goes to the output, not to vitest by a call that the end of the file waits for: one from another I/O
  // context may stay unanswered, and the run then hangs (workers-sdk, issues 15498 and 15719).
  disableConsoleIntercept: true,
  // The first test of a file waits for hundreds of modules, on a machine that does much else.
  testTimeout: 60_000,
};

/** Half of what a file costs is an engine of its own: files share one, and begin with empty storage. */
const SHARED = {
  ...IN_ENGINE,
  isolate: false,
  setupFiles: [...IN_ENGINE.setupFiles, "./test/support/own-storage.ts"],
};

export default defineConfig({
  test: {
    globalSetup: ["./test/support/global-setup.ts"],
    maxWorkers: WORKERS,
    projects: [
      {
        plugins: [inEngine()],
        test: {
          name: "workerd",
          include: ["test/**/*.test.ts"],
          exclude: ["test/{node,e2e,counts}/**", "test/**/*.{extra,alone}.test.ts", ...UNITS],
          ...SHARED,
        },
      },
      {
        plugins: [inEngine()],
        test: {
          name: "workerd-units",
          include: UNITS,
          isolate: false,
          ...IN_ENGINE,
        },
      },
      {
        // The real worker and, beside its hubs, those that only tests need.
        plugins: [inEngine("./test/support/worker.ts", DATABASES)],
        resolve: { alias: PACKAGE },
        test: { name: "workerd-extra", include: ["test/**/*.extra.test.ts"], ...SHARED },
      },
      {
        // The same with an engine for each file: these look at all objects that there are.
        plugins: [inEngine("./test/support/worker.ts", DATABASES)],
        resolve: { alias: PACKAGE },
        test: { name: "workerd-alone", include: ["test/**/*.alone.test.ts"], ...IN_ENGINE },
      },
      {
        // Objects that count their rows, calls and alarms, and a hub with the defaults of all hubs.
        plugins: [inEngine("./test/counts/worker.ts")],
        test: { name: "counts", include: ["test/counts/*.test.ts"], ...IN_ENGINE },
      },
      {
        test: {
          name: "node",
          ...PATIENT,
          environment: "node",
          // A process for each file costs a second of CPU.
          isolate: false,
          setupFiles: ["./test/support/waiting.ts", "./test/support/own-globals.ts"],
          include: ["test/{node,e2e}/**/*.test.ts"],
          testTimeout: TEST_MS,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
