// `dormouse token alice`, in this repository `npm run -s token -- alice`: prints one token for the local endpoint to
// standard output, and nothing else.

import { parseArgs } from "node:util";
import { ensureDevVars, readTokenSettings, type ClaimNames, type Keys } from "./dev-vars.ts";
import { canonicalName } from "../model/topic.ts";
import { tokenUserId } from "../model/user.ts";
import { signToken } from "./sign-token.ts";
import type { ChosenConfig } from "./wrangler-package.ts";
import { UsageError, type Command } from "./command-line.ts";

const HELP = `Usage: dormouse token <user> [options]

Prints a token for the local endpoint, signed with JWT_SECRET of .dev.vars. If there is neither a secret nor a provider's
keys, the secret is written first. Issuer and audience are those of .dev.vars, or else of wrangler.toml. The user and the
audience are also in the claims that USER_ID_CLAIM and AUDIENCE_CLAIM name.

  --role <name>          A role, in the claim "role" or ROLES_CLAIM. Repeated: an array.
  --claim <name=value>   Any other claim: a string, or a JSON object or array. Repeated name: an array.
  --tenant <name>        The tenant, in the claim "tid" or TENANT_CLAIM. Default: "default".
  --ttl <seconds>        Lifetime of the token. Default: 3600.
  -e, --env <name>       The environment of wrangler.toml.
  -c, --config <file>    Another file than wrangler.toml of this folder.
  --env-file <file>      Replaces .dev.vars, as for "dormouse dev". May be repeated. With -c: its whole path.
  -h, --help             This text.

Example: dormouse token alice --role Admin --claim permissions=users.manage --tenant acme --ttl 600
`;

/** Claims that `--claim` cannot set: the command or the other options determine them. */
const OWN_CLAIMS = ["sub", "iss", "aud", "iat", "exp", "nbf"];

type Claim = readonly [name: string, value: unknown];

interface TokenRequest extends ChosenConfig {
  readonly user: string;
  readonly claims: readonly Claim[];
  readonly roles: readonly string[];
  readonly tenant: string | undefined;
  readonly ttlSeconds: number;
}

function tokenRequestIn(args: string[]): TokenRequest | "help" {
  refuseNegative(args);
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      role: { type: "string", multiple: true, default: [] },
      claim: { type: "string", multiple: true, default: [] },
      tenant: { type: "string" },
      ttl: { type: "string", default: "3600" },
      env: { type: "string", short: "e" },
      config: { type: "string", short: "c" },
      "env-file": { type: "string", multiple: true },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return "help";
  const [user, ...rest] = positionals;
  if (!user || rest.length > 0) throw new UsageError("Name one user.");
  const { role: roles, tenant, env, config, "env-file": envFiles } = values;
  if (tenant === "") throw new UsageError("--tenant needs a name.");
  checkName(user, tokenUserId);
  if (tenant !== undefined) checkName(tenant, canonicalName);
  return {
    user,
    claims: values.claim.map(claimPair),
    roles,
    tenant,
    env,
    config,
    envFiles,
    ttlSeconds: seconds(values.ttl),
  };
}

/** The endpoint would refuse a token with another name. */
function checkName(name: string, check: (name: string) => string): void {
  try {
    check(name);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The claims under the names that the endpoint reads. Claims of `--claim` take precedence. */
function claimsOf(
  { user, claims, roles, tenant }: TokenRequest,
  names: ClaimNames,
  { audience }: Keys,
) {
  return {
    ...(names.userId !== undefined && { [names.userId]: user }),
    ...(names.audience !== undefined && { [names.audience]: audience }),
    ...collect([
      ...claims,
      ...roles.map((role) => [names.roles, role] as const),
      ...(tenant === undefined ? [] : [[names.tenant, tenant] as const]),
    ]),
  };
}

function claimPair(text: string): Claim {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`--claim ${text} is not of the form name=value.`);
  const name = text.slice(0, at);
  if (OWN_CLAIMS.includes(name)) throw new UsageError(`The claim "${name}" cannot be set.`);
  return [name, claimValue(text.slice(at + 1))];
}

/** Text that begins as a JSON object or array is parsed; any other value is a string. */
function claimValue(text: string): unknown {
  if (!/^[[{]/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not JSON after all: text that begins with a bracket.
    return text;
  }
}

function collect(pairs: readonly Claim[]): Record<string, unknown> {
  const names = [...new Set(pairs.map(([name]) => name))];
  const entries = names.map((name): [string, unknown] => {
    const all = pairs.filter(([other]) => other === name).map(([, value]) => value);
    return [name, all.length > 1 ? all : all[0]];
  });
  return Object.fromEntries(entries);
}

function seconds(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new UsageError(`--ttl ${text} is not a whole number of seconds, 1 or more.`);
}

/** Refuses a negative `--ttl` with our own message; parseArgs would explain how values may begin with a dash. */
function refuseNegative(args: readonly string[]): void {
  const value = args[args.indexOf("--ttl") + 1];
  if (args.includes("--ttl") && value?.startsWith("-")) seconds(value);
}

export const token: Command = {
  help: HELP,
  run: async (args) => {
    const request = tokenRequestIn(args);
    if (request === "help") return HELP;
    await ensureDevVars(process.cwd(), request);
    const { keys, names } = await readTokenSettings(process.cwd(), request);
    const { user, ttlSeconds } = request;
    const claims = claimsOf(request, names, keys);
    return `${await signToken(keys, { user, ttlSeconds, claims })}\n`;
  },
};
