// The worker's HTTP side: the table of routes, and the form of errors. The first route that matches answers. No
// middleware touches the headers of an upgrade: they are immutable (docs/design/platform.md#pl9).

import { Hono } from "hono";
import { Refusal, refusalResponse } from "../auth/authenticate.ts";
import { devToken } from "../auth/dev-tokens.ts";
import type { HubPath } from "../dispatch/define/hub-paths.ts";
import type { Hubs } from "../dispatch/define/hub-tables.ts";
import { httpStatusOf } from "../model/error-table.ts";
import { HubError, publicError } from "../model/errors.ts";
import { logError } from "../model/logger.ts";
import { RelayChoice } from "./admit/relay-choice.ts";
import { wantsWebSocket } from "./admit/requested-transport.ts";
import type { WaitUntil } from "./admit/serving.ts";
import { CONNECT_PATHS, connectRpc } from "./grpc/grpc-router.ts";
import { preflight, withCors } from "./answer/cors.ts";
import { callHub, enterHub } from "./json-rpc/hub-endpoint.ts";
import { logRefusal } from "./answer/refusal-log.ts";
import { enterRoom } from "./json-rpc/room-endpoint.ts";
import { hubPathRoutes } from "./routes/hub-path-routes.ts";
import type { EndpointEnv, Isolate, Route } from "./routes/route.ts";
import { metrics } from "./ops/metrics.ts";
import { restRoutes } from "./rest/rest-router.ts";
import { forService } from "./rest/service-admission.ts";
import { ServiceRates } from "./rest/service-rate.ts";
import { negotiate } from "./signalr/negotiate.ts";
import { refresh } from "./signalr/refresh.ts";
import { connect } from "./signalr/websocket.ts";
import { retryableStream } from "./sse/event-streams.ts";
import { readRooms } from "./sse/room-events.ts";
import { FrameCache } from "./stream/shared-frames.ts";
import { isOverload } from "./answer/overload.ts";

export type { EndpointEnv } from "./routes/route.ts";

/** The default export of a worker. The memory of the isolate is made here, and handed to the doors. */
export function endpoint(
  hubs: Hubs,
  hubPaths: readonly HubPath[] = [],
): Hono<{ Bindings: EndpointEnv }> {
  const app = new Hono<{ Bindings: EndpointEnv }>();
  const isolate = { hubs, relays: new RelayChoice(), frames: new FrameCache() };
  const routes = [
    ...hubPathRoutes(isolate, hubPaths),
    ...roomRoutes(isolate),
    ...signalRRoutes(isolate),
    ...grpcRoutes(isolate),
    ...serviceRoutes(hubs),
  ];
  for (const { method, paths, cors, log, handler } of routes)
    app.on(method, [...paths], async (context) => {
      const { req, env } = context;
      // Read only when it is needed: tests call the endpoint without an execution context.
      const waitUntil: WaitUntil = (work) => context.executionCtx.waitUntil(work);
      const handled = await handler({
        request: req.raw,
        env,
        waitUntil,
        params: () => req.param(),
      });
      const response = log ? logged(req.raw, env, handled) : handled;
      return cors ? withCors(req.raw, env, response) : response;
    });
  app.notFound(() => answer(new HubError("not_found", "Nothing is here."), 404));
  app.onError((error, { req, env }) => {
    const response = logged(req.raw, env, refused(error, isSignalR(req.path)));
    return withCors(
      req.raw,
      env,
      isSignalR(req.path) ? response : retryableStream(req.raw, response),
    );
  });
  return app;
}

/**
 * Rooms and hubs in JSON-RPC, and rooms as event streams. One path serves a room's WebSocket and its events: clients
 * say by headers which they want.
 */
const roomRoutes = (isolate: Isolate): Route[] => [
  {
    method: "GET",
    paths: ["/hubs/:hub/:kind/:name", "/parties/:hub/:room"],
    ...{ cors: true, log: true },
    handler: ({ request, env }) =>
      (wantsWebSocket(request) ? enterRoom : readRooms)(request, { ...isolate, env }),
  },
  {
    method: "OPTIONS",
    paths: ["/hubs/*", "/parties/*", "/client/*", ...CONNECT_PATHS],
    ...{ cors: false, log: false },
    handler: ({ request, env }) => preflight(request, env),
  },
  {
    method: "GET",
    paths: ["/hubs/:hub/rpc"],
    ...{ cors: false, log: true },
    handler: ({ request, env }) => enterHub(request, { ...isolate, env }),
  },
  {
    method: "POST",
    paths: ["/hubs/:hub/rpc"],
    ...{ cors: true, log: true },
    handler: ({ request, env, waitUntil }) => callHub(request, { ...isolate, env }, waitUntil),
  },
  {
    method: "ALL",
    paths: ["/hubs/:hub/rpc"],
    ...{ cors: false, log: false },
    handler: () => new Response(null, { status: 405, headers: { allow: "GET, POST" } }),
  },
];

/** Where SignalR's clients connect: to a hub, or to Azure's path where an application negotiated for them. */
const signalR = (path: string) => [`/hubs/:hub${path}`, `/client${path}`];

// Verbs that a negotiation does not have are 405; `{hub}` itself takes all verbs, and answers for them.
const signalRRoutes = (isolate: Isolate): Route[] => [
  {
    method: "POST",
    paths: signalR("/negotiate"),
    ...{ cors: true, log: false },
    handler: ({ request, env }) => negotiate(request, { ...isolate, env }),
  },
  {
    method: "POST",
    paths: signalR("/refresh"),
    ...{ cors: true, log: true },
    handler: ({ request, env }) => refresh(request, { ...isolate, env }),
  },
  {
    method: "ALL",
    paths: [...signalR("/negotiate"), ...signalR("/refresh")],
    ...{ cors: false, log: false },
    handler: () => new Response(null, { status: 405 }),
  },
  {
    method: "ALL",
    paths: [...signalR(""), "/client/"],
    ...{ cors: true, log: true },
    handler: ({ request, env }) => connect(request, { ...isolate, env }),
  },
];

/** Connect and gRPC-Web. Their own router logs refusals, which have statuses of their own. */
function grpcRoutes(isolate: Isolate): Route[] {
  const rpc = connectRpc(isolate);
  return [
    {
      method: "ALL",
      paths: CONNECT_PATHS,
      ...{ cors: true, log: false },
      handler: ({ request, env, waitUntil }) => rpc(request, env, waitUntil),
    },
  ];
}

/** Back ends, Prometheus and the demo: no pages, so that no answer needs CORS. */
function serviceRoutes(hubs: Hubs): Route[] {
  const rates = new ServiceRates();
  const plain = { cors: false, log: false };
  const rest = restRoutes({ hubs, rates }).map(({ method, path, handler }): Route => {
    return {
      method,
      paths: [path],
      ...plain,
      handler: ({ request, env }) => handler(request, env),
    };
  });
  return [
    {
      method: "POST",
      paths: ["/dev/token"],
      ...plain,
      handler: async ({ request, env }) =>
        Response.json(await devToken(request, env), { headers: { "cache-control": "no-store" } }),
    },
    {
      method: "GET",
      paths: ["/api/metrics"],
      ...plain,
      handler: ({ request, env }) =>
        forService({ request, env, rates }, ({ tenant }) => metrics(tenant, hubs, env)),
    },
    ...rest,
  ];
}

/** SignalR's clients show a body as it is, so that it is a sentence there. */
const isSignalR = (path: string): boolean =>
  /^\/(?:hubs\/[^/]+|client)(?:\/negotiate)?\/?$/.test(path);

/** Every refusal has a stable code, in `x-dormouse-error` and, but for SignalR, in the body. */
function refused(error: Error, inWords: boolean): Response {
  if (error instanceof Refusal) return refusalResponse(error);
  if (isOverload(error)) return unavailable();
  const shown = publicError(error);
  if (shown.code === "internal") logError("request_failed", { error });
  return answer(shown, httpStatusOf(shown.code), inWords);
}

function logged(request: Request, env: EndpointEnv, response: Response): Response {
  const code = response.headers.get("x-dormouse-error");
  if (!code) return response;
  const hub = new URL(request.url).pathname.split("/")[2] ?? "";
  logRefusal(request, env, { hub, status: response.status, code });
  return response;
}

const unavailable = (): Response =>
  new Response("Service Unavailable", {
    status: 503,
    headers: { "retry-after": "2", "x-dormouse-error": "unavailable" },
  });

function answer({ code, message }: HubError, status: number, inWords = false): Response {
  const headers = {
    "cache-control": "no-store",
    "x-dormouse-error": code,
    ...(status === 426 && { upgrade: "websocket" }),
    ...((status === 429 || status === 503) && {
      "retry-after": code === "webhook_unavailable" ? "5" : "1",
    }),
  };
  return inWords
    ? new Response(message, { status, headers })
    : Response.json({ error: { code, message } }, { status, headers });
}
