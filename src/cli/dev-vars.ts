// The local endpoint's secrets in .dev.vars: creation and reading. Production secrets are stored at Cloudflare.

import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readConfiguration, readVariables, type Chosen } from "./wrangler-package.ts";

/** 256 random bits in base64url. */
export const randomSecret = (): string => randomBytes(32).toString("base64url");

/**
 * Writes `.dev.vars` with a random secret and a random access key. An existing file is left as it is, byte for byte.
 */
export function ensureDevVars(folder: string): { path: string; created: boolean } {
  const path = join(folder, ".dev.vars");
  const text = `# Secrets of the local endpoint. Never commit this file, and never deploy DEV_TOKENS: it issues tokens without credentials.
JWT_SECRET=${randomSecret()}
# Tokens of "dormouse token" count here, and not those of a provider whose JWT_JWKS_URL is in wrangler.toml. For the
# provider's own, remove this line and JWT_SECRET.
JWT_JWKS_URL=
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
