// All rules of a worker's configuration: the server applies them at its first request, `dormouse check` before a
// deploy. Messages about broken rules, and the lines that fix them, are in the files `*-problems.ts`. Rules about files
// find nothing if no files are known.

import { accessKeyProblems } from "../auth/access-keys.ts";
import { authProblems, type AuthEnv } from "../auth/auth-config.ts";
import { webhookProblems, type WebhookEnv } from "../webhooks/webhook-config.ts";
import { sharedClass, unbound } from "./binding-problems.ts";
import { exported } from "./class-rules.ts";
import type { Facts, WorkerFiles } from "./facts.ts";
import { assets, logs, noAssets, secrets, unreachable } from "./file-rules.ts";
import { OBJECTS } from "./objects.ts";
import { ADVISED, missingFlags, NEEDED, OLD_DATE } from "./platform-problems.ts";
import type { Problem } from "./problem.ts";
import { noLimiter, noRate, noSwitch, noText, refusedValue } from "./variable-problems.ts";

type Rule = (facts: Facts) => readonly Problem[];

/** Each binding must exist, and be a namespace of Durable Objects. */
const bindings: Rule = (facts) =>
  OBJECTS.filter(({ binding }) => facts.bound(binding) !== "namespace").map((object) =>
    unbound(object, facts.bound(object.binding)),
  );

/** Each binding must have a class of its own. */
const classes: Rule = (facts) => {
  const bound = OBJECTS.filter(({ binding }) => facts.bound(binding) === "namespace");
  return bound.flatMap((object, at) => {
    const { binding } = object;
    const twin = bound.slice(0, at).find((other) => facts.areSame(other.binding, binding));
    return twin ? [sharedClass(twin, object)] : [];
  });
};

const compatibilityDate: Rule = (facts) =>
  NEEDED.every(({ flag, since }) => facts.isOn(flag, since)) ? [] : [OLD_DATE];

/** One problem for all flags that are missing. */
const compatibilityFlags: Rule = (facts) => {
  const missing = ADVISED.filter(({ flag }) => !facts.isOn(flag));
  return missing.length > 0 ? [missingFlags(missing)] : [];
};

/** Values must be accepted by their readers in auth/ and webhooks/. Values of other types are left to `types`. */
const values: Rule = ({ variables }) => {
  const env = Object.fromEntries(
    Object.entries(variables).filter(([, value]) => typeof value === "string"),
  ) as AuthEnv & WebhookEnv;
  const sentences = [
    ...authProblems(env),
    ...(env.ACCESS_KEYS ? accessKeyProblems(env) : []),
    ...webhookProblems(env),
  ];
  return sentences.flatMap((sentence) => refusedValue(sentence, variables) ?? []);
};

const TEXTS = [
  ...["JWT_SECRET", "JWT_JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE", "JWT_ISSUERS"],
  ...["ALLOWED_ORIGINS", "USER_ID_CLAIM", "ROLES_CLAIM", "TENANT_CLAIM", "AUDIENCE_CLAIM"],
  ...["ACCESS_KEYS", "WEBHOOK_URL", "WEBHOOK_SECRET", "WEBHOOK_EVENTS", "WEBHOOK_CONNECT_URL"],
];

/** Variables must be text: wrangler.toml may have numbers and tables, which the server does not read. */
const types: Rule = ({ variables }) =>
  TEXTS.filter((name) => !["string", "undefined"].includes(typeof variables[name])).map(noText);

const SWITCHES = [
  "LOG_CONNECTIONS",
  "LOG_REFUSED_CALLS",
  "DEV_TOKENS",
  "DEVELOPMENT",
  "ADMIN",
  "DEMO_GUESTS",
];

/** A switch must be on or off: with any other value it would silently be off. */
const switches: Rule = ({ variables }) =>
  SWITCHES.filter((name) => !["", "0", "1", undefined].includes(variables[name] as string)).map(
    noSwitch,
  );

const rate: Rule = ({ variables: { REST_PER_SECOND: value = "" } }) =>
  value === "" || Number(value) > 0 ? [] : [noRate()];

const LIMITERS = ["CONNECT_LIMITER", "REST_LIMITER"];

/** Rate limiters must be bindings: with a text in their place, each counted request would fail. */
const limiters: Rule = ({ variables }) =>
  LIMITERS.filter((name) => {
    const binding = variables[name] as { readonly limit?: unknown } | null | undefined;
    return binding !== undefined && typeof binding?.limit !== "function";
  }).map(noLimiter);

/** The admin page must be among the worker's static files, and be served by the worker. */
const adminFiles: Rule = ({ variables, files }) => {
  const isBound = files ? files.assets?.binding === "ASSETS" : variables["ASSETS"] !== undefined;
  return variables["ADMIN"] === "1" && !isBound
    ? [noAssets(files?.assets?.directory !== undefined)]
    : [];
};

const ofFiles =
  (...rules: readonly ((files: WorkerFiles) => readonly Problem[])[]): Rule =>
  ({ files }) =>
    files ? rules.flatMap((rule) => rule(files)) : [];

const RULES: readonly Rule[] = [
  ...[bindings, classes, ofFiles(exported)],
  ...[compatibilityDate, compatibilityFlags],
  ...[values, types, switches, rate, limiters, adminFiles],
  ofFiles(secrets, unreachable, assets, logs),
];

/** The names of all variables that the server reads. */
export const VARIABLES: readonly string[] = [...TEXTS, ...SWITCHES, ...LIMITERS, "REST_PER_SECOND"];

/** All problems, those that refuse requests first. */
export function problemsOf(facts: Facts): readonly Problem[] {
  const all = RULES.flatMap((rule) => rule(facts));
  const of = (wanted: Problem["level"]) => all.filter(({ level }) => level === wanted);
  return [...of("error"), ...of("advice")];
}
