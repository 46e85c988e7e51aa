// The real endpoint for tests in Node: `wrangler dev` with a port, a secret and a storage of its own. Nothing outlives
// a test.

import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { randomSecret } from "../../src/cli/dev-vars.ts";
import type { Keys } from "../../src/cli/dev-vars.ts";
import { signToken } from "../../src/cli/sign-token.ts";
import { EarlyEndError, wranglerDev } from "../../src/cli/wrangler-process.ts";
import type { WranglerRun } from "../../src/cli/wrangler-process.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

export interface EndpointOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Where objects keep their rows. Default: a temporary folder, removed at the end. */
  readonly persistTo?: string;
  /** Over [vars] of wrangler.toml, and over the secret made up for this endpoint. */
  readonly vars?: Readonly<Record<string, string>>;
  /** The folder with another wrangler.toml. Default: the project. */
  readonly folder?: string;
}

export interface Endpoint extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly keys: Keys;
  token(user: string, claims?: Record<string, unknown>, ttlSeconds?: number): Promise<string>;
}

/** One that nobody else uses: it may be killed. */
export interface OwnEndpoint extends Endpoint {
  /** SIGKILL, in the middle of whatever it does. Resolves when nothing of it is left. */
  kill(): Promise<void>;
  /** Kills it if it runs, and starts it again: same port, same storage. */
  restart(): Promise<void>;
}

/** `wrangler dev`. */
export interface DevEndpoint extends OwnEndpoint {
  /** Everything wrangler and the worker have written. */
  logs(): string;
}

/**
 * Starts another at another port, twice at most, where wrangler ends by itself: a busy machine may have taken its port.
 */
export async function startEndpoint(options: EndpointOptions = {}): Promise<DevEndpoint> {
  for (let starts = 1; ; starts += 1) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one start after another
      return await startOnce(options);
    } catch (error) {
      const isLast = starts === 3 || options.port !== undefined;
      if (isLast || !((error as Error).cause instanceof EarlyEndError)) throw error;
      console.error(`Start ${starts} of an endpoint failed. ${(error as Error).message}`);
    }
  }
}

async function startOnce(options: EndpointOptions): Promise<DevEndpoint> {
  const own = mkdtempSync(join(tmpdir(), "dormouse-"));
  const port = options.port ?? (await freePort());
  const { vars, keys } = varsOf(options);
  const envFile = join(own, "vars.env");
  writeFileSync(envFile, envText(vars), { mode: 0o600 });

  let logs = "";
  const start = (): WranglerRun =>
    wranglerDev({
      cwd: options.folder ?? PROJECT,
      // With --env-file wrangler reads no .dev.vars.
      args: [
        ["--ip", "127.0.0.1"],
        ["--port", `${port}`],
        // Any: the default is the first that is free from 9229 on, which two that start at once both find.
        ["--inspector-port", "0"],
        ["--env-file", envFile],
        ["--persist-to", options.persistTo ?? join(own, "state")],
      ].flat(),
      // Endpoints side by side bear one name; a registry each keeps them from finding each other.
      env: { WRANGLER_REGISTRY_PATH: join(own, "registry") },
      onOutput: (text) => (logs += text),
    });

  let run = start();
  let isOver = false;
  const ready = (): Promise<void> => whenReady(run, () => logs);
  const endpoint: DevEndpoint = {
    url: `http://127.0.0.1:${port}`,
    port,
    keys,
    token: (user, claims = {}, ttlSeconds = 3_600) => signToken(keys, { user, claims, ttlSeconds }),
    kill: () => run.end(),
    async restart() {
      await run.end();
      if (isOver) throw new Error("The endpoint of this test is over.");
      run = start();
      await ready();
    },
    logs: () => logs,
    async [Symbol.asyncDispose]() {
      isOver = true;
      await run.end();
      rmSync(own, { recursive: true, force: true });
    },
  };
  try {
    await ready();
    return endpoint;
  } catch (error) {
    await endpoint[Symbol.asyncDispose]();
    throw error;
  }
}

/** The variables of an endpoint, with a secret made up for it, and the keys of tokens among them. */
export function varsOf(options: Pick<EndpointOptions, "vars">) {
  const vars = {
    JWT_SECRET: randomSecret(),
    JWT_ISSUER: "dormouse",
    JWT_AUDIENCE: "dormouse",
    ...options.vars,
  };
  const keys = { secret: vars.JWT_SECRET, issuer: vars.JWT_ISSUER, audience: vars.JWT_AUDIENCE };
  return { vars, keys };
}

/** It takes 1,500 ms, and on a busy machine many times that. */
const START_MS = 120_000;

async function whenReady(run: WranglerRun, logs: () => string): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`The endpoint was not ready within ${START_MS} ms.`)),
    START_MS,
  );
  try {
    await Promise.race([run.ready, late.promise]);
  } catch (error) {
    await run.end();
    throw new Error(`${(error as Error).message} It wrote:\n${logs().slice(-LOG_END)}`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Characters of a log that an error quotes: its end, where the reason stands. */
const LOG_END = 4_000;

/** Below the ports that systems give to clients: one of those could take an endpoint's between a kill and a restart. */
const PORTS = { first: 20_000, count: 10_000 };

/** A port nobody listens on now, picked at random: endpoints of several processes start side by side. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + randomInt(PORTS.count);
    // oxlint-disable-next-line no-await-in-loop -- one try after another
    if (await isFree(port)) return port;
  }
}

export function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** dotenv takes single-quoted text as it is, but for `$`, which wrangler expands unless it is escaped. */
function envText(vars: Readonly<Record<string, string>>): string {
  return Object.entries(vars)
    .map(([name, value]) => {
      if (/['\n\\]/.test(value)) throw new Error(`${name} holds what an env file cannot.`);
      return `${name}='${value.replaceAll("$", "\\$")}'\n`;
    })
    .join("");
}
