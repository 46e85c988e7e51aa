// Projects: "workerd" and "workerd-extra" run inside the real engine; "node" runs outside and drives the real
// `wrangler dev`.

import { availableParallelism } from "node:os";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** In place of .dev.vars, which a fresh checkout lacks; empty is what a developer's may set and tests must not see. */
const BINDINGS = {
  JWT_SECRET: "a secret of the tests, 32 bytes or more",
  JWT_ISSUER: "dormouse",
  JWT_AUDIENCE: "dormouse",
  JWT_JWKS_URL: "",
  ALLOWED_ORIGINS: "",
  DEV_TOKENS: "",
  USER_ID_CLAIM: "",
  TENANT_CLAIM: "",
  ACCESS_KEYS: "a key of the tests with 32 bytes or more,the key before it with 32 bytes or so",
  WEBHOOK_URL: "",
  WEBHOOK_CONNECT_URL: "",
};

/** One more than there are cores: most files of the node project wait for seconds, and start servers meanwhile. */
const WORKERS = availableParallelism() + 1;

export default defineConfig({
  test: {
    globalSetup: ["./test/support/global-setup.ts"],
    maxWorkers: WORKERS,
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: BINDINGS },
          }),
        ],
        test: {
          name: "workerd",
          include: ["test/**/*.test.ts"],
          exclude: ["test/{node,e2e}/**", "test/**/*.extra.test.ts"],
          setupFiles: ["./test/support/own-context.ts"],
          testTimeout: 15_000,
        },
      },
      {
        plugins: [
          cloudflareTest({
            // The real worker and, beside its hubs, those that only tests need.
            main: "./test/support/worker.ts",
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: BINDINGS },
          }),
        ],
        test: {
          name: "workerd-extra",
          include: ["test/**/*.extra.test.ts"],
          setupFiles: ["./test/support/own-context.ts"],
          testTimeout: 15_000,
        },
      },
      {
        test: {
          name: "node",
          environment: "node",
          include: ["test/{node,e2e}/**/*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
