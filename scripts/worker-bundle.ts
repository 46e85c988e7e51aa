// How workers are bundled outside wrangler: as it does it.

import type { BuildOptions } from "esbuild";

export const WORKER_BUNDLE = {
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2024",
  mainFields: ["module", "main"],
  conditions: ["workerd", "worker", "import"],
  external: ["cloudflare:*", "node:*"],
  logLevel: "warning",
} satisfies BuildOptions;
