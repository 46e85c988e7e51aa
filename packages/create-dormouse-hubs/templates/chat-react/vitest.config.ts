import { defineConfig } from "vitest/config";

// Not vite.config.ts, which is for the page.
export default defineConfig({ test: { include: ["test/**/*.test.ts"] } });
