// Requests of services → operations: who asks, how often, which hub, what is given; then the operation's own work.

import type { Hono } from "hono";
import type { ZodType } from "zod";
import { authenticateService, type Service } from "../../auth/service.ts";
import type { Hubs, ServedHub } from "../../dispatch/define/hub-tables.ts";
import { HubError } from "../../model/errors.ts";
import { factsOf } from "../../model/token-rules.ts";
import { accountStub } from "../../rooms/rpc/stubs.ts";
import type { EndpointEnv } from "../app.ts";
import { metrics } from "../ops/metrics.ts";
import { Asked } from "./hub-request.ts";
import { readBody } from "./rest-body.ts";
import { accessKey } from "./hub-operations.ts";
import { operations } from "./index.ts";
import { openApi } from "./openapi.ts";
import type { Operation } from "./operation.ts";
import { checkRate } from "./service-rate.ts";
import { failed } from "./azure-errors.ts";

type Endpoint = Hono<{ Bindings: EndpointEnv }>;

/** Azure's newest and its first; both take all. */
const PREFIXES = ["/api/hubs/{hub}", "/api/v1/hubs/{hub}"];

export function mountRest(app: Endpoint, hubs: Hubs): void {
  for (const prefix of PREFIXES) {
    for (const operation of operations)
      mount(app, hubs, { operation, path: prefix + operation.path });
    for (const [path, of] of Map.groupBy(operations, (one) => one.path))
      app.all(patternOf(prefix + path), () => notAllowed(of));
  }
  const document = openApi(operations);
  app.get("/api/openapi.json", (c) => c.json(document));
  app.get("/api/health", () => new Response(null));
  app.get("/api/auth/accessKey", ({ req, env }) =>
    safely(async () => {
      const { tenant } = await admitted(req.raw, env);
      return Response.json(await accessKey(tenant, env), NOT_KEPT);
    }),
  );
  app.get("/api/metrics", ({ req, env }) =>
    safely(async () => metrics((await admitted(req.raw, env)).tenant, hubs, env)),
  );
  app.all("/api/*", ({ req, env }) =>
    safely(async () => {
      await admitted(req.raw, env);
      throw new HubError("not_found", "There is no such operation.");
    }),
  );
}

function notAllowed(of: readonly Operation[]): Response {
  const error = new HubError("method_not_allowed", "There is such a path, and no such verb.");
  const response = failed(error);
  response.headers.set("allow", of.map(({ method }) => method).join(", "));
  return response;
}

const NOT_KEPT = { headers: { "cache-control": "no-store" } };

/** wrangler says gzip of an empty body, too, and Azure's SDK for JavaScript fails to unpack it. */
function nothing(status: number): Response {
  const headers = { ...NOT_KEPT.headers, "content-encoding": "identity" };
  return new Response(null, { status, headers, encodeBody: "manual" });
}

interface Mounted {
  readonly operation: Operation;
  /** With parameters in braces. */
  readonly path: string;
}

function mount(app: Endpoint, hubs: Hubs, mounted: Mounted): void {
  const { operation, path } = mounted;
  app.on(operation.method, patternOf(path), ({ req, env }) =>
    safely(() => answer(req.raw, hubs, env, mounted)),
  );
}

/** `{group}` is a parameter, `:send` is itself; Hono has its own words for both. */
const patternOf = (path: string): string =>
  path
    .split("/")
    .map((part) =>
      part.startsWith(":")
        ? `:operation{${part}|%3[Aa]${part.slice(1)}}`
        : part.replace(/^\{(\w+)\}$/, ":$1"),
    )
    .join("/");

async function safely(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    return failed(error);
  }
}

/** Who asks, as far as it may ask now. */
async function admitted(request: Request, env: EndpointEnv): Promise<Service> {
  const service = await authenticateService(request, env);
  await checkRate(service, env);
  await checkRevoked(service, env);
  return service;
}

/** A service's own token may be taken back like any other. */
async function checkRevoked({ user, tenant }: Service, env: EndpointEnv): Promise<void> {
  const fault = user && (await accountStub(env, { tenant, user: user.id }).check(factsOf(user)));
  if (fault) throw new HubError<string>(fault.code, fault.message);
}

async function answer(request: Request, hubs: Hubs, env: EndpointEnv, mounted: Mounted) {
  const { operation, path: pattern } = mounted;
  const service = await admitted(request, env);
  const url = new URL(request.url);
  const path = valuesIn(pattern, url.pathname);
  const served = servedAs(hubs, path.get("hub")!, url.searchParams.get("application"));
  const asked = new Asked({ request, env, service, served, path });
  const query = checked(operation.query, queryOf(url.searchParams), "query");
  const given = operation.body && (await readBody(request, operation.bodyKind));
  const body = operation.body && checked(operation.body, given, "body");
  const { status = operation.status, body: said } =
    (await operation.handle(asked, { query, body })) ?? {};
  return said === undefined ? nothing(status) : Response.json(said, { status, ...NOT_KEPT });
}

/** Percent-decoded once. Throws `invalid_name`. */
function valuesIn(pattern: string, pathname: string): ReadonlyMap<string, string> {
  const parts = pathname.split("/");
  return new Map(
    pattern.split("/").flatMap((part, index) => {
      const name = /^\{(?<name>\w+)\}$/.exec(part)?.groups?.["name"];
      return name === undefined ? [] : [[name, decoded(parts[index] ?? "")] as const];
    }),
  );
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HubError("invalid_name", "The path is not percent-encoded UTF-8.");
  }
}

function servedAs(hubs: Hubs, hub: string, application: string | null): ServedHub {
  const name = application ? `${application}_${hub}` : hub;
  const served = hubs.get(name.toLowerCase());
  if (!served) throw new HubError("hub_not_found", "There is no such hub.");
  return served;
}

/** Coercion takes no digits for zero. */
const NUMBERS = ["ttl", "limit", "maxpagesize", "top", "minutesToExpire"];

/** `excluded` may be repeated; of others the first counts. Throws `invalid_arguments`. */
function queryOf(params: URLSearchParams): object {
  const empty = NUMBERS.find((name) => params.get(name)?.trim() === "");
  if (empty) throw new HubError("invalid_arguments", `query.${empty}: a number is missing.`);
  const query = new Map<string, string | string[]>(
    [...params.keys()].map((name) => [name, params.get(name)!]),
  );
  if (params.has("excluded")) query.set("excluded", params.getAll("excluded"));
  return Object.fromEntries(query);
}

/** What the schema makes of it. Throws `invalid_arguments` with the first thing that is wrong. */
function checked<T>(schema: ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = [where, ...(issue?.path ?? []).map(String)].join(".");
  throw new HubError("invalid_arguments", `${path}: ${issue?.message ?? "invalid"}`.slice(0, 500));
}
