// Rules of wrangler's configuration that a running worker cannot see: assets, logs, and secrets where all can read
// them.

import type { WorkerFiles } from "./facts.ts";
import type { Problem } from "./problem.ts";

const advice = (text: string, lines: string, json: string): Problem => ({
  level: "advice",
  text,
  fix: { where: "wrangler.toml", lines, json },
});

/** Paths of the endpoint. `/dev/*` is of the demo alone. */
const PATHS = [
  ...["/hubs/*", "/parties/*", "/client/*", "/api/*"],
  ...["/dormouse.v1.Hub/*", "/grpc.health.v1.Health/*"],
];

/** Where they are files first, the page is there whatever `ADMIN` says. */
const ADMIN_PATHS = ["/admin", "/admin/*"];

/** A folder of static files that is there already stays. */
export const noAssets = (hasFolder: boolean): Problem =>
  advice(
    "ADMIN is 1, but the static files are not bound as ASSETS: /admin would be 404.",
    `[assets]\n${hasFolder ? "" : 'directory = "public" # npx dormouse admin public\n'}binding = "ASSETS"`,
    `"assets": { ${hasFolder ? "" : '"directory": "public", '}"binding": "ASSETS" }`,
  );

/**
 * Assets are looked at first for no path of the endpoint: each connection would ask for a file, and may be given a
 * page.
 */
export function assets(files: WorkerFiles): Problem[] {
  const { assets: own } = files;
  if (!own) return [];
  const { run_worker_first: first = false } = own;
  const paths = [...PATHS, ...(valueIn(files, "ADMIN") === "1" ? ADMIN_PATHS : [])];
  if (first === true) return [];
  const there = first || [];
  const missing = paths.filter((path) => !isFirst(path, there));
  if (missing.length === 0) return [];
  // Those that are there stay: behind one of them may be what nobody is to read as a file.
  const all = [...there, ...missing].map((path) => JSON.stringify(path)).join(", ");
  const lines = `[assets]\nrun_worker_first = [${all}]`;
  const json = `"assets": { "run_worker_first": [${all}] }`;
  const text = `Requests for ${missing.join(", ")} check for a static file first.`;
  return [advice(text, lines, json)];
}

/** A pattern that has the path at its end is of an endpoint below a base path. */
const isFirst = (path: string, patterns: readonly string[]): boolean =>
  patterns.some(
    (pattern) =>
      pattern.endsWith(path) ||
      (pattern.endsWith("*") && path.startsWith(pattern.slice(0, -1)) && !pattern.startsWith("!")),
  );

/** Logs of invocations, and tokens of queries in them. */
export function logs({ observability = {} }: WorkerFiles): Problem[] {
  const { enabled = false, redact_query_string: isRedacted, logs: own } = observability;
  const isLogging = own?.enabled ?? enabled;
  if (!isLogging) return [];
  return [
    ...(own?.invocation_logs === false ? [] : [INVOCATION_LOGS]),
    ...(isRedacted ? [] : [QUERIES]),
  ];
}

const INVOCATION_LOGS = advice(
  "Every message of a socket writes an invocation log, which is billed.",
  "[observability.logs]\ninvocation_logs = false",
  '"observability": { "logs": { "invocation_logs": false } }',
);

const QUERIES = advice(
  "Tokens in queries reach the logs.",
  "[observability]\nredact_query_string = true",
  '"observability": { "redact_query_string": true }',
);

const SECRETS = ["JWT_SECRET", "ACCESS_KEYS", "WEBHOOK_SECRET"];
/** Of a machine for development alone. */
export const LOCAL: readonly string[] = ["DEV_TOKENS", "DEVELOPMENT"];

/** `[vars]` are committed, shown in the dashboard, and deployed. */
export function secrets(files: WorkerFiles): Problem[] {
  const isSet = (name: string) => !["", "0", undefined].includes(valueIn(files, name));
  return [
    ...SECRETS.filter(isSet).map((name): Problem => {
      const text = `${name} is in [vars], which are committed and public: remove it there.`;
      const lines = `npx wrangler secret put ${name}`;
      return { level: "error", text, fix: { where: "a shell", lines } };
    }),
    ...LOCAL.filter(isSet).map((name): Problem => {
      const text = `${name} is in [vars] and would be deployed: move it to .dev.vars.`;
      return { level: "error", text };
    }),
  ];
}

const valueIn = ({ vars }: WorkerFiles, name: string): string | undefined =>
  vars[name] === undefined ? undefined : String(vars[name]);
