// `dormouse dev`, in this repository `npm run dev`: runs the worker of a folder. Creates its secrets, starts wrangler,
// prints the address, and ends every process it started.

import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { UsageError, type Command } from "./command-line.ts";
import { ensureDevVars } from "./dev-vars.ts";
import { readText } from "./files.ts";
import {
  configPath,
  readConfiguration,
  type ChosenConfig,
  type Configuration,
} from "./wrangler-package.ts";
import { missingPackages } from "./missing-packages.ts";
import { lockState } from "./state-lock.ts";
import { wranglerDev } from "./wrangler-process.ts";

const HELP = `Usage: dormouse dev [options]

Starts the worker of this folder at http://127.0.0.1:8787 and reloads it when its sources change. Ctrl-C ends it.

The first start writes .dev.vars with a random JWT_SECRET and ACCESS_KEYS. If the file exists without a secret, they are
added, unless a provider's keys (JWT_JWKS_URL, JWT_ISSUERS) are configured. The file is the one that wrangler reads, in
the folder of the -c file: .dev.vars.<env> if it exists, or .env.local if there is an .env and no .dev.vars. With
DEV_TOKENS=1 in .dev.vars the demo can sign in without credentials, on 127.0.0.1 only.

Objects store their data in .wrangler/state. A second start with the same data is refused.

  --port <number>   The port. Default: 8787.
  --ip <address>    The address. Default: 127.0.0.1; 0.0.0.0 is every address of this machine.
  -h, --help        This text.

These options of wrangler are added, unless you or wrangler.toml set them:

  --local-upstream      If wrangler.toml has routes: requests keep this address as their host.
  --inspector-port 0    A free port for the debugger, so that several workers can run.
  --var DEVELOPMENT:1 --var LOG_REFUSED_CALLS:1
                        The log has the expected and the received value of each refusal, and clients get more details.

wrangler's log of all events is switched off, because it makes sockets 5 to 15 times slower.

Other options are passed to "wrangler dev", for example --log-level warn. If -c is a file in another folder, write the
whole path of --env-file. --cwd is refused.
`;

/** Time for wrangler to clean up. workerd with an open socket would never exit by itself. */
const GRACE_MS = 1_500;

async function runUntilStopped({ ip, chosen, args }: DevOptions): Promise<void> {
  const run = wranglerDev({ cwd: process.cwd(), args });
  let ending: Promise<void> | undefined;
  onStop(() => {
    // A second signal ends the processes at once.
    ending = run.end(ending ? 0 : GRACE_MS);
  });
  run.ready.then(
    ({ port }) => void process.stdout.write(greeting(ip, port, chosen)),
    () => {}, // wrangler has printed the reason.
  );
  await run.ended;
  await (ending ?? run.end());
  if (!ending)
    throw new Error(
      "wrangler has ended. The first error above has the reason; `dormouse check` may show it alone.",
    );
}

function onStop(stop: () => void): void {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, stop);
  const parent = process.ppid;
  // If npm or npx is killed it does not end its children, and the port would stay in use: so the parent is watched.
  if (process.env["npm_lifecycle_event"] !== undefined) {
    setInterval(() => process.ppid !== parent && stop(), 500).unref();
  }
}

interface DevOptions {
  readonly ip: string;
  readonly port: string;
  /** The folder of the objects' data, in which wrangler stores it. */
  readonly state: string;
  readonly chosen: ChosenConfig;
  /** Arguments of `wrangler dev`. */
  readonly args: readonly string[];
}

/** Splits the arguments into Dormouse's own options and those for wrangler. Throws a `UsageError`. */
async function devOptions(args: string[]): Promise<DevOptions | "help"> {
  const parsed = parseArgs({
    ...{ args, options: OPTIONS, strict: false, allowPositionals: true, tokens: true },
  } as const);
  const { ip, port, help } = parsed.values;
  if (help === true) return "help";
  if (typeof ip !== "string" || ip === "") throw new UsageError("--ip needs an address.");
  if (typeof port !== "string" || !isPort(port)) {
    throw new UsageError("--port needs a number from 1 to 65535.");
  }
  refuseFolder(parsed.values.cwd);
  const ownTokens = parsed.tokens.flatMap((token) => {
    if (token.kind !== "option" || !OWN.has(token.name)) return [];
    return token.inlineValue === false ? [token.index, token.index + 1] : [token.index];
  });
  const wranglerArgs = args.filter((_, index) => !ownTokens.includes(index));
  const { env, config: configs = [], "env-file": files } = parsed.values;
  // If there are several workers, the first one is served.
  const config = textOf([configs].flat()[0]);
  const envFiles = files && [files].flat().map(String);
  const chosen = { config, env: textOf(env), envFiles };
  const added = await addedOptions({ ip, port, chosen, args: wranglerArgs });
  const overrides = LOOPBACK.has(ip) ? [] : NO_DEV_TOKENS;
  const own = [...added, ...DEVELOPING, ...overrides];
  const persistTo = textOf(parsed.values["persist-to"]);
  const state =
    persistTo === undefined
      ? join(dirname(configPath(process.cwd(), chosen)), ".wrangler", "state")
      : resolve(persistTo);
  return { ip, port, state, chosen, args: ["--ip", ip, "--port", port, ...own, ...wranglerArgs] };
}

const OPTIONS = {
  port: { type: "string", default: "8787" },
  ip: { type: "string", default: "127.0.0.1" },
  help: { type: "boolean", short: "h" },
  // Options that are read here, and passed on to wrangler as well.
  config: { type: "string", short: "c", multiple: true },
  "env-file": { type: "string", multiple: true },
  "persist-to": { type: "string" },
  env: { type: "string", short: "e" },
  cwd: { type: "string" },
} as const;

/** Refuses `--cwd`: only wrangler would change to that folder; secrets and lock would belong to another worker. */
function refuseFolder(cwd: unknown): void {
  if (cwd === undefined) return;
  const folder = typeof cwd === "string" ? quoted(cwd) : "<folder>";
  throw new UsageError(
    `--cwd is not supported. Run it in the worker's folder: cd ${folder} && npx dormouse dev`,
  );
}

/** Options that are not passed on to wrangler unchanged. */
const OWN: ReadonlySet<string> = new Set(["port", "ip", "help"]);

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" ? value : undefined;

type Addressed = Omit<DevOptions, "state">;

/**
 * If its configuration has a route, wrangler rewrites every request to the host of that route: pages would have another
 * origin, tokens another URL, and DEV_TOKENS would be off. So the address is passed on, unless an option names it. The
 * debugger gets any free port, because wrangler ends if its default port is taken.
 */
async function addedOptions({ ip, port, chosen, args }: Addressed): Promise<string[]> {
  const { routes = [], route, dev } = await addressesOf(chosen);
  const isGiven = (name: string) => args.some((arg) => arg === name || arg.startsWith(`${name}=`));
  const hasRoutes = route !== undefined || routes.length > 0;
  const upstream = `${hostOf(EVERY_ADDRESS.has(ip) ? "127.0.0.1" : ip)}:${port}`;
  const isHosted = isGiven("--local-upstream") || isGiven("--host");
  const isInspected = isGiven("--inspector-port") || dev?.inspector_port !== undefined;
  return [
    ...(hasRoutes && !isHosted ? ["--local-upstream", upstream] : []),
    ...(isInspected ? [] : ["--inspector-port", "0"]),
  ];
}

/** The addresses in the configuration. Loading wrangler takes half a second, so only if the file may have some. */
async function addressesOf(chosen: ChosenConfig): Promise<Partial<Configuration>> {
  const text = readText(configPath(process.cwd(), chosen));
  return /route|inspector_port/.test(text) ? readConfiguration(process.cwd(), chosen) : {};
}

const EVERY_ADDRESS = new Set(["0.0.0.0", "::"]);

/** Shows reasons in the log and in answers (`model/environment.ts#isDevelopment`), and logs each refused call. */
const DEVELOPING = ["--var", "DEVELOPMENT:1", "--var", "LOG_REFUSED_CALLS:1"];

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);
/**
 * Disables DEV_TOKENS on addresses that other machines reach: the worker only sees the Host header, which callers
 * choose.
 */
const NO_DEV_TOKENS = ["--var", "DEV_TOKENS:0"];

const isPort = (text: string): boolean => /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535;

const hostOf = (ip: string): string => (ip.includes(":") ? `[${ip}]` : ip);

const greeting = (ip: string, port: number, chosen: ChosenConfig): string => `
  Dormouse is at  http://${hostOf(ip)}:${port}
  A token         ${isScript ? "npm run -s token --" : "npx dormouse token"} alice${flagsOf(chosen)}
  To end it       Ctrl-C
`;

/** The options with which `dormouse token` finds the keys of the same worker. */
const flagsOf = ({ config, env, envFiles }: ChosenConfig): string =>
  Object.entries({ "-c": config, "-e": env, "--env-file": envFiles })
    .flatMap(([flag, values = []]) => [values].flat().map((value) => ` ${flag} ${quoted(value)}`))
    .join("");

/** Quotes a text as one word of a POSIX shell. */
const quoted = (text: string): string =>
  /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** Whether it runs as `npm run dev` of this repository. */
const isScript = process.env["npm_lifecycle_event"] === "dev";

async function writeDevVars(chosen: ChosenConfig): Promise<void> {
  const { path, written } = await ensureDevVars(process.cwd(), chosen);
  if (written.length > 0) process.stdout.write(`Wrote ${written.join(", ")} to ${path}\n`);
}

export const dev: Command = {
  help: HELP,
  run: async (args) => {
    const options = await devOptions(args);
    if (options === "help") return HELP;
    const missing = missingPackages();
    if (missing !== undefined) throw new Error(missing);
    const unlock = lockState(options.state);
    try {
      await writeDevVars(options.chosen);
      await runUntilStopped(options);
    } finally {
      unlock();
    }
    return "";
  },
};
