// `npm run bench`: a command, or the servers side by side.

import process from "node:process";

type Command = (args: readonly string[]) => Promise<boolean>;

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  counts: async () => (await import("./counts.ts")).printCounts,
  costs: async () => (await import("./costs.ts")).costs,
  growth: async () => (await import("./growth.ts")).growth,
  patches: async () => (await import("./patches.ts")).patches,
  profile: async () => (await import("./profile.ts")).profile,
  placement: async () => (await import("./placement.ts")).placement,
};

async function main([name = "", ...rest]: readonly string[]): Promise<boolean> {
  const load = COMMANDS[name];
  if (load) return (await load())(rest);
  return (await import("./run.ts")).runAll(process.argv.slice(2));
}

process.exit((await main(process.argv.slice(2))) ? 0 : 1);
