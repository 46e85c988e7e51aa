// The secret of the local endpoint: where it is kept and how it first comes to be. Production secrets live at Cloudflare.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

export const randomSecret = (): string => randomBytes(32).toString("base64url");

/** Writes `.dev.vars` with a random secret and a random key for services, unless there is one: that is left alone, byte for byte. */
export function ensureDevVars(folder: string): { path: string; created: boolean } {
  const path = join(folder, ".dev.vars");
  const text = `# The local endpoint's own. Never commit it, and never deploy DEV_TOKENS: it signs in whoever asks.
JWT_SECRET=${randomSecret()}
ACCESS_KEYS=${randomSecret()}
DEV_TOKENS=1
`;
  try {
    writeFileSync(path, text, { flag: "wx", mode: 0o600 });
    return { path, created: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return { path, created: false };
  }
}

export interface Keys {
  readonly secret: string;
  readonly issuer: string;
  readonly audience: string;
}

/** What the local endpoint checks tokens against: [vars] of wrangler.toml, and `.dev.vars` over it, as wrangler does. */
export async function readKeys(folder: string): Promise<Keys> {
  const config = join(folder, "wrangler.toml");
  if (!existsSync(config)) throw new Error(`There is no wrangler.toml in ${folder}.`);
  // Half a second to load: only for who needs it.
  const wrangler = await import("wrangler");
  const fromConfig = wrangler.unstable_readConfig({ config }, { hideWarnings: true }).vars;
  const fromDevVars = parseEnv(readFileSync(join(folder, ".dev.vars"), "utf8"));
  const vars: Record<string, unknown> = { ...fromConfig, ...fromDevVars };
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
