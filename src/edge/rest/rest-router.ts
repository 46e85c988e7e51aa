// The routes of the REST interface, made from the table of operations. Order matters twice: routes of operations come
// before the 405 of their path, and the catch-all comes last.

import type { Service } from "../../auth/service.ts";
import { HubError } from "../../model/errors.ts";
import { logInfo } from "../../model/logger.ts";
import { urlOf } from "../../model/request-url.ts";
import { toResultJson } from "../../protocols/json.ts";
import { checkSetup } from "../../setup/check-setup.ts";
import { pathBelow, servedHub } from "../admit/request-target.ts";
import { NO_STORE } from "../answer/cache-headers.ts";
import { allowing, METHOD_NOT_ALLOWED } from "../answer/method-not-allowed.ts";
import { failed } from "./azure-errors.ts";
import { accessKey } from "./hub-operations.ts";
import { HubRequest } from "./hub-request.ts";
import { operations } from "./index.ts";
import { openApi } from "./openapi.ts";
import type { Answer, Operation } from "./operation.ts";
import {
  pathParameters,
  pathPattern,
  queryParameters,
  validate,
  type PathPattern,
} from "./operation-input.ts";
import { readBody } from "./rest-body.ts";
import { forService, type ServiceCall } from "./service-admission.ts";

/** Azure's newest and its first API version; all operations are served under both. */
export const HUB_PREFIX = "/api/hubs/{hub}";
const PREFIXES = [HUB_PREFIX, "/api/v1/hubs/{hub}"];

/** A route in Hono's syntax of paths. Its answers are complete: errors are Azure's documents already. */
interface RestRoute {
  readonly method: string;
  readonly path: string;
  handler(call: ServiceCall): Response | Promise<Response>;
}

/**
 * All routes, in the order in which they must be registered. The same operations are served under both prefixes, and
 * their paths in the OpenAPI document are those of the newest.
 */
export const restRoutes = (): RestRoute[] => [
  ...PREFIXES.flatMap(operationRoutes),
  ...endpointRoutes(),
];

/** All operations under one prefix; any other verb on one of their paths is 405. */
function operationRoutes(prefix: string): RestRoute[] {
  const rows = operations.map((operation): RestRoute => {
    const path = prefix + operation.path;
    const routed = { operation, pattern: pathPattern(path) };
    return {
      method: operation.method,
      path: honoPath(path),
      handler: (call) =>
        forService(call, (service) => runOperation(routed, call, service), operation.missing),
    };
  });
  const others = [...Map.groupBy(operations, ({ path }) => path)].map(
    ([path, known]): RestRoute => ({
      method: "ALL",
      path: honoPath(prefix + path),
      handler: () => notAllowed(known.map(({ method }) => method)),
    }),
  );
  return [...rows, ...others];
}

/**
 * Routes that belong to no hub. Health and document need no token: load balancers and generators have none. The
 * catch-all answers 404 only to services; without a token it is 401, so that nobody can list the operations.
 */
function endpointRoutes(): RestRoute[] {
  const document = openApi(operations);
  return [
    { method: "GET", path: "/api/openapi.json", handler: () => Response.json(document) },
    { method: "GET", path: "/api/health", handler: health },
    {
      method: "GET",
      path: "/api/auth/accessKey",
      handler: (call) =>
        forService(call, async (service) => {
          const key = await accessKey(service.tenant, call.env);
          audit("accessKey", service, call.request);
          return Response.json(key, { headers: NO_STORE });
        }),
    },
    ...["openapi.json", "health", "auth/accessKey", "metrics"].map((path) => ({
      method: "ALL",
      path: `/api/${path}`,
      handler: () => notAllowed(["GET"]),
    })),
    {
      method: "ALL",
      path: "/api/*",
      handler: (call) =>
        forService(call, async () => {
          throw new HubError("not_found", "There is no such operation.");
        }),
    },
  ];
}

/** Like gRPC's health check: with a wrong configuration the worker refuses every other request, and is not healthy. */
function health({ request, env }: Pick<ServiceCall, "request" | "env">): Response {
  try {
    checkSetup(env, request.url);
    return new Response(null, { headers: NO_STORE });
  } catch (error) {
    return failed(error);
  }
}

/** 405 with the verbs that the path has. Needs no token: it reveals no more than the OpenAPI document. */
function notAllowed(verbs: readonly string[]): Response {
  const response = failed(METHOD_NOT_ALLOWED);
  response.headers.set("allow", allowing(verbs));
  return response;
}

const JSON_HEADERS = { ...NO_STORE, "content-type": "application/json" };

/** wrangler declares an empty body as gzip unless told otherwise, and Azure's SDK for JavaScript fails to unpack it. */
function emptyResponse(status: number, more: Answer["headers"]): Response {
  const headers = { ...NO_STORE, "content-encoding": "identity", ...more };
  return new Response(null, { status, headers, encodeBody: "manual" });
}

/**
 * The pattern in Hono's syntax. `{group}` is a parameter; `:send` is a literal, whose colon some HTTP libraries
 * percent-encode. In Hono a colon begins a parameter, so that a literal colon must be a parameter with a pattern. The
 * pattern's alternatives are in a group, because Hono matches patterns against the whole rest of the path: at the top,
 * an alternative would be anchored at one end only.
 */
const honoPath = (pattern: string): string =>
  pattern
    .split("/")
    .map((part) =>
      part.startsWith(":")
        ? `:operation{(?::|%3[Aa])${part.slice(1)}}`
        : part.replace(/^\{(\w+)\}$/, ":$1"),
    )
    .join("/");

interface RoutedOperation {
  readonly operation: Operation;
  /** The pattern of the operation's path with its prefix. */
  readonly pattern: PathPattern;
}

/**
 * Reads the request in a fixed order: path, hub, query, body. The first fault is the answer, so that a body is read
 * only for a hub that exists. An operation that returns nothing answers with its own status and an empty body.
 */
export async function runOperation(
  { operation, pattern }: RoutedOperation,
  call: Omit<ServiceCall, "rates">,
  service: Service,
): Promise<Response> {
  const { request, prefix, hubs } = call;
  const url = urlOf(request);
  const parameters = url.search === "" ? NO_QUERY : url.searchParams;
  const path = pathParameters(pattern, pathBelow(request, prefix));
  const served = servedHub(hubs, hubName(path.get("hub")!, parameters.get("application")));
  const query = validate(operation.query, queryParameters(parameters), "query");
  const given =
    operation.body && (await readBody(request, operation.bodyKind, operation.bodyBytes));
  const body = operation.body && validate(operation.body, given, "body");
  const hub = new HubRequest({ ...call, service, served, path });
  const answer = (await operation.handle(hub, { query, body })) ?? {};
  if (isAudited(operation, body)) audit(operation.id, service, request);
  return responseOf(answer, operation.status);
}

const NO_QUERY = new URLSearchParams();

/** Operations that are logged: they delete data, close connections, or ban or revoke. */
const AUDITED = /^(?:removeHistory|erase|import|close|revoke|ban|unban|repair)/;

/** Also `:execute`, if the command that closes connections is among its commands. Other bodies may be any value. */
const isAudited = ({ id }: Operation, body: unknown): boolean =>
  id === "execute"
    ? (body as { type: string }[]).some(({ type }) => type === "CloseConnection")
    : AUDITED.test(id);

/** Logs the operation with the service's name; the path names the room or user that it was applied to. */
const audit = (operation: string, { tenant, name }: Service, request: Request): void =>
  logInfo("service_acted", { operation, tenant, service: name, path: urlOf(request).pathname });

function responseOf({ status, body, headers }: Answer, usual: number): Response {
  if (body === undefined) return emptyResponse(status ?? usual, headers);
  const text = body instanceof Uint8Array ? body : toResultJson(body);
  return new Response(text, { status: status ?? usual, headers: { ...JSON_HEADERS, ...headers } });
}

/** Azure's applications share one endpoint: each has its own hubs, by prefix. */
const hubName = (hub: string, application: string | null): string =>
  application ? `${application}_${hub}` : hub;
