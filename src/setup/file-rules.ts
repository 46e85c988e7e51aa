// Rules about parts of wrangler's configuration that a running worker cannot see: assets, logs, and what must not be in
// variables that are public and deployed.

import { keySetUrls } from "../auth/issuers.ts";
import { isLoopback } from "../model/environment.ts";
import type { WorkerFiles } from "./facts.ts";
import type { Problem } from "./problem.ts";

const advice = (text: string, lines: string, json: string): Problem => ({
  level: "advice",
  text,
  fix: { where: "wrangler.toml", lines, json },
});

/** Paths of the endpoint, without `/dev/*`, which only the demo has. */
const PATHS = [
  ...["/hubs/*", "/parties/*", "/client/*", "/api/*"],
  ...["/dormouse.v1.Hub/*", "/grpc.health.v1.Health/*"],
];

/** If static files come first for these paths, the admin page is served even if `ADMIN` is off. */
const ADMIN_PATHS = ["/admin", "/admin/*"];

/** The fix keeps a configured folder of static files. */
export const noAssets = (hasFolder: boolean): Problem =>
  advice(
    "ADMIN is 1, but the static files are not bound as ASSETS: /admin would be 404.",
    `[assets]\n${hasFolder ? "" : 'directory = "public" # npx dormouse admin public\n'}binding = "ASSETS"`,
    `"assets": { ${hasFolder ? "" : '"directory": "public", '}"binding": "ASSETS" }`,
  );

/**
 * For paths of the endpoint, the worker must run before static files are tried: otherwise each connection would request
 * a file, and might get a page.
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
  // The fix keeps the configured paths: they may protect files that nobody should read.
  const all = [...there, ...missing].map((path) => JSON.stringify(path)).join(", ");
  const lines = `[assets]\nrun_worker_first = [${all}]`;
  const json = `"assets": { "run_worker_first": [${all}] }`;
  const text = `Requests for ${missing.join(", ")} check for a static file first.`;
  return [advice(text, lines, json)];
}

/** Whether a pattern matches the path. One that ends with it is for an endpoint below a base path. */
const isFirst = (path: string, patterns: readonly string[]): boolean =>
  patterns.some(
    (pattern) =>
      pattern.endsWith(path) ||
      (pattern.endsWith("*") && path.startsWith(pattern.slice(0, -1)) && !pattern.startsWith("!")),
  );

/** Advises against logs of invocations, and against tokens of queries in logs. */
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
/** Variables that must only be set on a developer's machine. */
export const LOCAL: readonly string[] = ["DEV_TOKENS", "DEVELOPMENT"];

/** Secrets must not be in `[vars]`, which are committed, shown in the dashboard, and deployed. */
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

const URLS = ["JWT_JWKS_URL", "WEBHOOK_URL", "WEBHOOK_CONNECT_URL"];

/** Advises against URLs of this machine in `[vars]`, which are deployed: Cloudflare does not reach them. */
export function unreachable(files: WorkerFiles): Problem[] {
  const urls = [
    ...URLS.map((name) => [name, valueIn(files, name) ?? ""] as const),
    ...keySetUrls(valueIn(files, "JWT_ISSUERS") ?? ""),
  ];
  return urls
    .filter(([, url]) => isLocal(url))
    .map(([name]) => ({
      level: "advice",
      text: `${name} in [vars] is a URL of this machine, which Cloudflare cannot reach: move it to .dev.vars.`,
    }));
}

const isLocal = (url: string): boolean => URL.canParse(url) && isLoopback(new URL(url).hostname);

const valueIn = ({ vars }: WorkerFiles, name: string): string | undefined =>
  vars[name] === undefined ? undefined : String(vars[name]);
