// The local endpoint's secrets in .dev.vars: creation and reading. Production secrets are stored at Cloudflare.

import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { textOf } from "../model/environment.ts";
import { readText } from "./files.ts";
import {
  configPath,
  readConfiguration,
  readVariables,
  type ChosenConfig,
} from "./wrangler-package.ts";

/** 256 random bits in base64url. */
export const randomSecret = (): string => randomBytes(32).toString("base64url");

export interface DevVars {
  readonly path: string;
  /** Names of the written variables: none if the file has a secret, or if tokens are signed with other keys. */
  readonly written: readonly string[];
}

/**
 * Writes `.dev.vars` with a random secret and a random access key, if this machine has no file of secrets. Adds the
 * missing lines to an existing file without a secret, unless [vars] or the files have other keys for tokens. Writes
 * nothing if an option names the files.
 */
export async function ensureDevVars(folder: string, chosen: ChosenConfig = {}): Promise<DevVars> {
  const path = secretsFile(dirname(configPath(folder, chosen)), chosen.env);
  if (chosen.envFiles) return { path, written: [] };
  const names = Object.keys(LINES);
  if (basename(path) === DEV_VARS && create(path, HEADING + linesOf(names)))
    return { path, written: names };
  const text = existsSync(path) ? readText(path) : "";
  const own = parseEnv(text);
  if (own["JWT_SECRET"]) return { path, written: [] };
  const all = { ...own, ...(await variablesOf(folder, chosen)) };
  if (KEYS.some((name) => Boolean(all[name]))) return { path, written: [] };
  const written = names.filter((name) => !all[name] && !(OPTIONAL.has(name) && name in all));
  const before = text === "" ? HEADING : text.endsWith("\n") ? "" : "\n";
  append(path, before + linesOf(written));
  return { path, written };
}

const DEV_VARS = ".dev.vars";

/**
 * The file from which wrangler reads secrets, next to its configuration: `.dev.vars` of the environment, else
 * `.dev.vars`, else `.env` and the like. A new `.dev.vars` would hide existing `.env` files: then `.env.local` is
 * written, which is read with them.
 */
function secretsFile(folder: string, env: string | undefined): string {
  const at = (name: string) => join(folder, name);
  const ofEnvironment = at(`${DEV_VARS}.${env}`);
  if (env !== undefined && existsSync(ofEnvironment)) return ofEnvironment;
  const path = at(DEV_VARS);
  if (existsSync(path) || process.env["CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV"] === "false")
    return path;
  const ofEnv = env === undefined ? [] : [`.env.${env}`, `.env.${env}.local`];
  const names = [".env", ".env.local", ...ofEnv];
  return names.some((name) => existsSync(at(name))) ? at(".env.local") : path;
}

/** Variables that have keys for tokens: one of them is enough. */
const KEYS = ["JWT_SECRET", "JWT_JWKS_URL", "JWT_ISSUERS"];

/** Creates a file that only the owner can read. False if the file exists. */
function create(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

/** If the file cannot be written, throws an error with the lines to be added. */
function append(path: string, lines: string): void {
  try {
    appendFileSync(path, lines, { mode: 0o600 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(`${path} cannot be written (${code}). Add to it:\n${lines.trim()}`, { cause });
  }
}

const HEADING =
  "# Secrets of the local endpoint. Never commit this file, and never deploy DEV_TOKENS: it issues tokens without credentials.\n";

/** The lines of each variable, perhaps with a comment above. */
const LINES: Readonly<Record<string, () => string>> = {
  JWT_SECRET: () => `JWT_SECRET=${randomSecret()}`,
  JWT_JWKS_URL:
    () => `# Tokens of "dormouse token" count here, and not those of a provider whose JWT_JWKS_URL is in wrangler.toml. For the
# provider's own, remove this line and JWT_SECRET.
JWT_JWKS_URL=`,
  ACCESS_KEYS: () => `ACCESS_KEYS=${randomSecret()}`,
  DEV_TOKENS: () => "DEV_TOKENS=1",
};

/** Variables that may be empty on purpose. An empty secret or key is a line that nobody has filled in. */
const OPTIONAL: ReadonlySet<string> = new Set(["JWT_JWKS_URL", "DEV_TOKENS"]);

const linesOf = (names: readonly string[]): string =>
  names.map((name) => `${LINES[name]!()}\n`).join("");

/** [vars] and the files of this machine, as wrangler reads them. */
async function variablesOf(folder: string, chosen: ChosenConfig): ReturnType<typeof readVariables> {
  const configuration = await readConfiguration(folder, chosen);
  return readVariables(folder, configuration, chosen);
}

export interface Keys {
  readonly secret: string;
  readonly issuer: string;
  readonly audience: string;
}

/** The claims that the local endpoint reads from a token: names, or paths. */
export interface ClaimNames {
  readonly roles: string;
  readonly tenant: string;
  /** Absent: the usual names. */
  readonly userId: string | undefined;
  readonly audience: string | undefined;
}

/**
 * The values with which the local endpoint verifies tokens: [vars] of wrangler.toml, overridden by `.dev.vars`, as
 * wrangler does. Throws if one is missing.
 */
export async function readTokenSettings(
  folder: string,
  chosen: ChosenConfig = {},
): Promise<{ readonly keys: Keys; readonly names: ClaimNames }> {
  const vars = await variablesOf(folder, chosen);
  const keys = {
    secret: required(vars, "JWT_SECRET"),
    issuer: required(vars, "JWT_ISSUER"),
    audience: required(vars, "JWT_AUDIENCE"),
  };
  const names = {
    roles: textOf(vars["ROLES_CLAIM"]) ?? "role",
    tenant: textOf(vars["TENANT_CLAIM"]) ?? "tid",
    userId: textOf(vars["USER_ID_CLAIM"]),
    audience: textOf(vars["AUDIENCE_CLAIM"]),
  };
  return { keys, names };
}

/** Reads the keys from the same variables as `readTokenSettings`, and throws the same errors. */
export const readKeys = async (folder: string, chosen: ChosenConfig = {}): Promise<Keys> =>
  (await readTokenSettings(folder, chosen)).keys;

function required(vars: Record<string, unknown>, name: string): string {
  const value = textOf(vars[name]);
  if (value !== undefined) return value;
  throw new Error(`${name} is neither in .dev.vars nor in [vars] of wrangler.toml.`);
}
