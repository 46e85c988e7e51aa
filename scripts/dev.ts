// `npm run dev`: runs the endpoint locally. Creates its secrets, starts wrangler, prints the address, and ends every
// process it started.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UsageError, command } from "./command.ts";
import { ensureDevVars } from "./dev-vars.ts";
import { wranglerDev } from "./wrangler.ts";

const HELP = `Usage: npm run dev -- [options]

Starts the endpoint at http://127.0.0.1:8787 and reloads it when src/ changes. The first start writes .dev.vars with a
random JWT_SECRET and ACCESS_KEYS; an existing file is left as it is. Objects store their data in .wrangler/state. Ctrl-C
ends it. DEV_TOKENS=1 in .dev.vars lets the demo sign in without credentials, on 127.0.0.1 only.

  --port <number>   Listen there instead of 8787.
  --ip <address>    Listen there instead of 127.0.0.1; 0.0.0.0 is every address of this machine.
  -h, --help        This text.

Where wrangler.toml has routes, requests keep this address as their host (--local-upstream, unless you give it).
Each refused call is a line in the log (LOG_REFUSED_CALLS).

Any other option goes to "wrangler dev" as it is, for example --log-level warn.
`;

/** Time for wrangler to clean up. workerd with an open socket would never exit by itself. */
const GRACE_MS = 1_500;

async function runUntilStopped({ ip, args }: DevOptions): Promise<void> {
  const run = wranglerDev({ cwd: process.cwd(), args });
  let ending: Promise<void> | undefined;
  onStop(() => {
    // A second signal ends it at once.
    ending = run.end(ending ? 0 : GRACE_MS);
  });
  run.ready.then(
    ({ port }) => console.log(greeting(ip, port)),
    () => {}, // wrangler has printed the reason.
  );
  await run.ended;
  await (ending ?? run.end());
  if (!ending) throw new Error("wrangler ended by itself.");
}

function onStop(stop: () => void): void {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, stop);
  const parent = process.ppid;
  // A killed npm does not end its children, and the port would stay in use: so the parent is watched.
  if (process.env["npm_lifecycle_event"] === "dev") {
    setInterval(() => process.ppid !== parent && stop(), 500).unref();
  }
}

interface DevOptions {
  readonly ip: string;
  /** Arguments of `wrangler dev`. */
  readonly args: readonly string[];
}

/** Splits the arguments into our own options and those for wrangler. Throws a `UsageError`. */
function devOptions(args: string[]): DevOptions | "help" {
  const options = {
    port: { type: "string", default: "8787" },
    ip: { type: "string", default: "127.0.0.1" },
    help: { type: "boolean", short: "h" },
  } as const;
  const parsed = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true });
  const { ip, port, help } = parsed.values;
  if (help === true) return "help";
  if (typeof ip !== "string" || ip === "") throw new UsageError("--ip needs an address.");
  if (typeof port !== "string" || !isPort(port)) {
    throw new UsageError("--port needs a number from 1 to 65535.");
  }
  const ownTokens = parsed.tokens.flatMap((token) => {
    if (token.kind !== "option" || !Object.hasOwn(options, token.name)) return [];
    return token.inlineValue === false ? [token.index, token.index + 1] : [token.index];
  });
  const wranglerArgs = args.filter((_, index) => !ownTokens.includes(index));
  const overrides = LOOPBACK.has(ip) ? [] : NO_DEV_TOKENS;
  const own = [...ownHost(ip, port, wranglerArgs), ...DEVELOPING, ...overrides];
  return { ip, args: ["--ip", ip, "--port", port, ...own, ...wranglerArgs] };
}

/**
 * With a route in wrangler.toml, wrangler rewrites every request to the host of that route: pages would then be of
 * another origin, tokens signed for another URL, and DEV_TOKENS off. So the address is named, unless an option does.
 */
function ownHost(ip: string, port: string, args: readonly string[]): string[] {
  const isGiven = args.some((arg) => /^--(?:local-upstream|host)(?:=|$)/.test(arg));
  const config = join(process.cwd(), "wrangler.toml");
  if (isGiven || !existsSync(config) || !ROUTES.test(readFileSync(config, "utf8"))) return [];
  return ["--local-upstream", `${hostOf(EVERY_ADDRESS.has(ip) ? "127.0.0.1" : ip)}:${port}`];
}

const ROUTES = /^\s*(?:\[\[)?\s*(?:env\.[\w-]+\.)?routes?\b/m;
const EVERY_ADDRESS = new Set(["0.0.0.0", "::"]);

/** A line for each refused call: clients of SignalR show too little of the reason. */
const DEVELOPING = ["--var", "LOG_REFUSED_CALLS:1"];

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);
/**
 * Disables DEV_TOKENS on addresses that other machines reach: the worker only sees the Host header, which callers
 * choose.
 */
const NO_DEV_TOKENS = ["--var", "DEV_TOKENS:0"];

const isPort = (text: string): boolean => /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535;

const hostOf = (ip: string): string => (ip.includes(":") ? `[${ip}]` : ip);

const greeting = (ip: string, port: number): string => `
  Dormouse is at  http://${hostOf(ip)}:${port}
  A token         npm run -s token -- alice
  To end it       Ctrl-C
`;

await command(HELP, async (args) => {
  const options = devOptions(args);
  if (options === "help") return HELP;
  const { path, created } = ensureDevVars(process.cwd());
  if (created) console.log(`Wrote a random JWT_SECRET and ACCESS_KEYS to ${path}`);
  await runUntilStopped(options);
  return "";
});
