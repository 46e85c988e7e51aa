// `dormouse check`: the rules of setup/, applied to the files of a worker before it is deployed.

import { basename, relative } from "node:path";
import { parseArgs } from "node:util";
import type { Facts } from "../setup/facts.ts";
import { LOCAL } from "../setup/file-rules.ts";
import { list, type Problem } from "../setup/problem.ts";
import { problemsOf } from "../setup/rules.ts";
import { UsageError, type Command, type Outcome } from "./command-line.ts";
import { bundleProblem, isBundleFailure, missingMain } from "./main-exports.ts";
import { misspelt } from "./near-names.ts";
import type { ModuleRun } from "./run-worker.ts";
import { workerHubs } from "./worker-hubs.ts";
import { readConfiguration, readVariables, type Configuration } from "./wrangler-package.ts";
import { warned } from "./wrangler-warnings.ts";

const HELP = `Usage: dormouse check [options]

Reads wrangler.toml (or wrangler.jsonc), .dev.vars and the exports of the worker's main module. Lists problems for which
the server would refuse requests, and settings that cost more than they should, with the lines that fix them, and
warnings of wrangler. Names variables that only .dev.vars has, because they are not deployed. Changes nothing.

  -e, --env <name>     The environment of wrangler.toml, as for "wrangler deploy".
  -c, --config <file>  Another file than wrangler.toml of this folder.
  --secret <name>      A secret that is set at Cloudflare, and not in .dev.vars. May be repeated.
  -h, --help           This text.

Exit codes: 0 no problems, 1 problems, 2 wrong options.
`;

const OPTIONS = {
  env: { type: "string", short: "e" },
  config: { type: "string", short: "c" },
  secret: { type: "string", multiple: true },
  help: { type: "boolean", short: "h" },
} as const;

interface Checked {
  readonly configuration: Configuration;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Variables in files of this machine that are not in [vars], and may not be set at Cloudflare. */
  readonly undeployed: readonly string[];
  readonly exported: readonly string[] | string;
  readonly hubProblem: string | undefined;
  readonly env: string | undefined;
  /** wrangler's warnings about the configuration. */
  readonly warnings: readonly string[];
}

async function run(args: string[]): Promise<string | Outcome> {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  if (values.help) return HELP;
  if (positionals.length > 0) throw new UsageError("check takes options only.");
  const folder = process.cwd();
  const warnings: string[] = [];
  const configuration = await readConfiguration(folder, values, (text) => warnings.push(text));
  const local = await readVariables(folder, configuration, { env: values.env });
  const variables = {
    ...local,
    ...configuration.vars,
    ...deployedKeys(configuration),
    ...Object.fromEntries((values.secret ?? []).map((name) => [name, UNKNOWN])),
  };
  const { exported, hubProblem } = await mainModule(folder, configuration);
  // Without the option, wrangler takes the environment's name from this variable.
  const env = values.env ?? (process.env["CLOUDFLARE_ENV"] || undefined);
  const undeployed = undeployedOf(local, { configuration, variables });
  return reported({ configuration, variables, undeployed, exported, hubProblem, env, warnings });
}

function undeployedOf(
  local: Readonly<Record<string, unknown>>,
  { configuration, variables }: Pick<Checked, "configuration" | "variables">,
): string[] {
  const elsewhere = new Set([...Object.keys(configuration.vars), ...LOCAL]);
  return Object.keys(local).filter(
    (name) => variables[name] && variables[name] === local[name] && !elsewhere.has(name),
  );
}

/** The exported names, or why they are unknown; and the error of a hub's definition, if there is one. */
async function mainModule(
  folder: string,
  configuration: Configuration,
): Promise<Pick<Checked, "exported" | "hubProblem">> {
  const hubProblem = undefined;
  const absent = missingMain(configuration);
  if (absent !== undefined) return { exported: absent, hubProblem };
  try {
    const ran = await workerHubs(folder, configuration);
    return { exported: ran.exports, hubProblem: faultOf(ran, folder) };
  } catch (error) {
    if (!isBundleFailure(error)) throw error;
    return { exported: bundleProblem(error, configuration), hubProblem };
  }
}

/** Errors other than those of a definition are ignored: they may come from running outside of the platform. */
const faultOf = (ran: ModuleRun, folder: string): string | undefined =>
  "error" in ran && ran.isDefinition ? ran.error.replace(`${folder}/`, "") : undefined;

/** The deployed sources of keys: `.dev.vars` may replace them with a secret of this machine, which is not deployed. */
const deployedKeys = ({ vars }: Configuration): Readonly<Record<string, unknown>> =>
  vars["JWT_JWKS_URL"] ? { JWT_JWKS_URL: vars["JWT_JWKS_URL"], JWT_SECRET: undefined } : {};

/** Stands for a secret that only Cloudflare knows: long enough for each of them. */
const UNKNOWN = "x".repeat(64);

function reported(checked: Checked): string | Outcome {
  const { configPath } = checked.configuration;
  const file = relative(process.cwd(), configPath) || basename(configPath);
  const { env, warnings } = checked;
  const found = [...problemsOf(factsOf(checked)), ...warnings.map(warned)];
  const problems = env === undefined ? found : found.map((problem) => ofEnvironment(problem, env));
  const note = noteOn(checked) + hintOf(checked);
  if (problems.length === 0) return `${file}: nothing is wrong.\n${note}`;
  const text = list(problems, /\.jsonc?$/.test(file) ? "json" : "toml");
  return { output: `${file}: problems: ${problems.length}.\n\n${text}\n${note}`, exitCode: 1 };
}

/** A note, not a problem: Cloudflare may have each of them as a secret, which cannot be checked here. */
function noteOn({ undeployed, env }: Checked): string {
  if (undeployed.length === 0) return "";
  const put = `npx wrangler secret put NAME${env === undefined ? "" : ` --env ${env}`}`;
  return `
Only in this machine's files, which are not deployed: ${undeployed.join(", ")}.
If the worker needs one: ${put}, or a line in [vars]. With --secret NAME this check takes it as set.
`;
}

/** A hint, not a problem: the name may be one of the application's own. */
const hintOf = ({ variables }: Checked): string =>
  misspelt(variables)
    .map(([name, near]) => `\nThe server does not read ${name}. Is ${near} meant?\n`)
    .join("");

/** Adapts the fix to an environment, which does not inherit variables, bindings and secrets: it has its own tables. */
function ofEnvironment({ fix, ...problem }: Problem, env: string): Problem {
  if (!fix) return problem;
  const lines = fix.lines
    .replaceAll(/^(\[+)(vars|durable_objects|ratelimits)\b/gm, `$1env.${env}.$2`)
    .replaceAll(/wrangler secret (?:put|delete) \S+/g, `$& --env ${env}`);
  const isOwn = fix.json !== undefined && /^"(vars|durable_objects|ratelimits)"/m.test(fix.json);
  const json = isOwn ? `// in "env", "${env}":\n${fix.json}` : fix.json;
  return { ...problem, fix: { ...fix, lines, ...(json !== undefined && { json }) } };
}

/** The facts of a worker that would be deployed from these files. */
function factsOf({ configuration, variables, exported, hubProblem }: Checked): Facts {
  const { compatibility_date: date = "", compatibility_flags: flags } = configuration;
  const classOf = (name: string) =>
    configuration.durable_objects.bindings.find((binding) => binding.name === name);
  return {
    variables,
    bound: (name) => (classOf(name) ? "namespace" : otherBinding(configuration, name)),
    areSame: (one, other) =>
      classOf(one)?.class_name === classOf(other)?.class_name &&
      classOf(one)?.script_name === classOf(other)?.script_name,
    isOn: (flag, since) => flags.includes(flag) || (since !== undefined && date >= since),
    files: { ...configuration, mainExports: exported, hubProblem },
  };
}

/** Whether another kind of binding has the name: those are lists of objects with a member `binding`, or variables. */
function otherBinding(configuration: Configuration, name: string): "another thing" | "nothing" {
  const bound = Object.values(configuration)
    .filter(Array.isArray)
    .flat()
    .some((one: unknown) => (one as { readonly binding?: unknown } | null)?.binding === name);
  return bound || Object.hasOwn(configuration.vars, name) ? "another thing" : "nothing";
}

export const check: Command = { help: HELP, run };
