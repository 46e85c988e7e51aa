// The local endpoint's secrets in .dev.vars: creation and reading. Production secrets are stored at Cloudflare.

import { randomBytes } from "node:crypto";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { readConfiguration, readVariables, type Chosen } from "./wrangler-package.ts";

/** 256 random bits in base64url. */
export const randomSecret = (): string => randomBytes(32).toString("base64url");

export interface DevVars {
  readonly path: string;
  /** Names of what was written: none where the file has a secret, or tokens are of other keys. */
  readonly written: readonly string[];
}

/**
 * Writes `.dev.vars` with a random secret and a random access key. To an existing file without a secret it adds what is
 * missing, and leaves its lines as they are; unless [vars] or the file have other keys for tokens.
 */
export async function ensureDevVars(folder: string, chosen: Chosen = {}): Promise<DevVars> {
  const path = join(folder, ".dev.vars");
  const names = Object.keys(LINES);
  try {
    writeFileSync(path, HEADING + linesOf(names), { flag: "wx", mode: 0o600 });
    return { path, written: names };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const text = readFileSync(path, "utf8");
  const own = parseEnv(text);
  if (own["JWT_SECRET"] || (await hasKeys(folder, chosen))) return { path, written: [] };
  const written = names.filter((name) => !own[name] && !(OPTIONAL.has(name) && name in own));
  appendFileSync(path, (text === "" || text.endsWith("\n") ? "" : "\n") + linesOf(written));
  return { path, written };
}

const HEADING =
  "# Secrets of the local endpoint. Never commit this file, and never deploy DEV_TOKENS: it issues tokens without credentials.\n";

/** Each begins with its variable, or with a comment on it. */
const LINES: Readonly<Record<string, () => string>> = {
  JWT_SECRET: () => `JWT_SECRET=${randomSecret()}`,
  JWT_JWKS_URL:
    () => `# Tokens of "dormouse token" count here, and not those of a provider whose JWT_JWKS_URL is in wrangler.toml. For the
# provider's own, remove this line and JWT_SECRET.
JWT_JWKS_URL=`,
  ACCESS_KEYS: () => `ACCESS_KEYS=${randomSecret()}`,
  DEV_TOKENS: () => "DEV_TOKENS=1",
};

/** Empty, they say something. An empty secret or key is a line that nobody has filled in. */
const OPTIONAL: ReadonlySet<string> = new Set(["JWT_JWKS_URL", "DEV_TOKENS"]);

const linesOf = (names: readonly string[]): string =>
  names.map((name) => `${LINES[name]!()}\n`).join("");

/** Whether tokens can be verified with what [vars] and the files of this machine have. */
async function hasKeys(folder: string, chosen: Chosen): Promise<boolean> {
  const configuration = await readConfiguration(folder, chosen);
  const vars = await readVariables(folder, configuration, chosen.env);
  return ["JWT_SECRET", "JWT_JWKS_URL", "JWT_ISSUERS"].some((name) => Boolean(vars[name]));
}

export interface Keys {
  readonly secret: string;
  readonly issuer: string;
  readonly audience: string;
}

/**
 * The values that the local endpoint verifies tokens with: [vars] of wrangler.toml, overridden by `.dev.vars`, as
 * wrangler does. Throws where one is missing.
 */
export async function readKeys(folder: string, chosen: Chosen = {}): Promise<Keys> {
  const configuration = await readConfiguration(folder, chosen);
  const vars = await readVariables(folder, configuration, chosen.env);
  return {
    secret: required(vars, "JWT_SECRET"),
    issuer: required(vars, "JWT_ISSUER"),
    audience: required(vars, "JWT_AUDIENCE"),
  };
}

function required(vars: Record<string, unknown>, name: string): string {
  const value = vars[name];
  if (typeof value === "string" && value !== "") return value;
  throw new Error(`${name} is neither in .dev.vars nor in [vars] of wrangler.toml.`);
}
