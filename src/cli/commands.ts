// The commands of `dormouse`, by name. Each is loaded when it runs.

import type { Command } from "./command-line.ts";

export const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["admin", async () => (await import("./copy-admin.ts")).copyAdmin],
  ["check", async () => (await import("./check.ts")).check],
  ["dev", async () => (await import("./dev.ts")).dev],
  ["openrpc", async () => (await import("./openrpc.ts")).openrpc],
  ["token", async () => (await import("./token.ts")).token],
  ["types", async () => (await import("./types.ts")).types],
]);
