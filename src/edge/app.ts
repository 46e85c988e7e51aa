// The worker's HTTP side: the table of routes, and the form of errors. The first route that matches answers. No
// middleware changes the headers of an upgrade: they are immutable (docs/design/platform.md#pl9).

import type { Hono } from "hono";
import { HonoBase } from "hono/hono-base";
import type { H, RouterRoute } from "hono/types";
import { baseRoutePath } from "hono/route";
import { TrieRouter } from "hono/router/trie-router";
import { nothingHere, type UserIdProvider } from "../auth/authenticate.ts";
import type { HubPath } from "../dispatch/define/hub-paths.ts";
import type { Hubs } from "../dispatch/define/hub-tables.ts";
import type { Place } from "../rooms/rpc/place.ts";
import type { ErrorCode } from "../model/error-table.ts";
import { PostedPings } from "./admit/posted-pings.ts";
import { RelayChoice } from "./admit/relay-choice.ts";
import { mountedAt, requestedHub } from "./admit/request-target.ts";
import { wantsWebSocket } from "./answer/upgrade-request.ts";
import type { WaitUntil } from "./admit/serving.ts";
import { checkClientVersion } from "./answer/client-version.ts";
import { withCors } from "./answer/cors.ts";
import { errorAnswer, refusedAnswer } from "./answer/error-answers.ts";
import { methodNotAllowed } from "./answer/method-not-allowed.ts";
import { callHub, enterHub, enterRoom } from "./json-rpc/json-rpc-endpoint.ts";
import { logRefusal } from "./answer/refusal-log.ts";
import { RefusedSockets } from "./answer/refused-socket.ts";
import { GRPC_PATHS, withoutGrpc } from "./routes/grpc-paths.ts";
import { anchored, hubPathRoutes, withSlash } from "./routes/hub-path-routes.ts";
import { preflightRoute } from "./routes/preflight-route.ts";
import { serviceRoutes } from "./routes/service-routes.ts";
import { ServiceRates } from "./rest/service-rate.ts";
import type { Call, OptionalRoutes, EndpointEnv, Route } from "./routes/route.ts";
import { negotiate } from "./signalr/negotiate.ts";
import { refresh } from "./signalr/refresh.ts";
import { refusal } from "./signalr/signalr-refusal.ts";
import { connect } from "./signalr/websocket.ts";
import { retryableStream } from "./sse/event-streams.ts";
import { readRooms } from "./sse/room-events.ts";
import { FrameCache } from "./stream/shared-frames.ts";

export type { OptionalRoutes, EndpointEnv } from "./routes/route.ts";

export interface EndpointOptions {
  /** The path below which all paths of the endpoint are. Default: the root. */
  readonly basePath?: string | undefined;
  /** The application's own paths to hubs, below `basePath` as well. */
  readonly paths?: readonly HubPath[];
  /** Gives the user's id instead of the claim that has it by default. */
  readonly userId?: UserIdProvider | undefined;
  /** Where objects are. */
  readonly place?: Place | undefined;
  /** Connect and gRPC-Web. */
  readonly grpc?: OptionalRoutes | undefined;
}

/**
 * The default export of a worker. Creates the memory of the isolate, and passes it to the handlers. All paths are below
 * `basePath`, and below the path at which another Hono application mounts this one.
 */
export function endpoint(
  hubs: Hubs,
  { basePath = "/", paths = [], userId, place, grpc }: EndpointOptions = {},
): Hono<{ Bindings: EndpointEnv }> {
  // Hono's default router is larger, and first tries to make one regular expression of all paths, which fails.
  const router = new TrieRouter<[H, RouterRoute]>();
  const app = new HonoBase<{ Bindings: EndpointEnv }>({ router }).basePath(anchored(basePath));
  const isolate = {
    ...{ hubs, userId, place },
    ...{ relays: new RelayChoice(), pings: new PostedPings() },
    ...{ frames: new FrameCache(), rates: new ServiceRates() },
  };
  const refused = new RefusedSockets();
  const routes = [
    ...hubPathRoutes(hubs, paths),
    ...ROOM_ROUTES,
    ...SIGNALR_ROUTES,
    ...(grpc?.(isolate) ?? [withoutGrpc]),
    ...serviceRoutes(),
    otherVerbs,
  ];
  for (const route of routes)
    app.on(route.method, [...route.paths], async (context) => {
      const { req, env } = context;
      const prefix = mountedAt(baseRoutePath(context), req.raw);
      // The execution context is read only when it is needed: tests call the endpoint without one.
      const waitUntil: WaitUntil = (work) => context.executionCtx.waitUntil(work);
      const { hub } = route;
      const params = () => req.param();
      const call = { ...isolate, request: req.raw, env, prefix, hub, waitUntil, params };
      // SignalR's clients do not know refusals on a socket.
      const response = await answered(route, call);
      return route.inWords || response.status < 400 ? response : refused.tell(req.raw, response);
    });
  app.notFound(({ req: { raw }, env }) =>
    refused.tell(raw, withCors(raw, env, errorAnswer(nothingHere(), 404))),
  );
  return app;
}

/** Runs the route. Never rejects: an application that mounts the endpoint sees no error of it. */
async function answered(route: Route, call: Call): Promise<Response> {
  const { request, env } = call;
  try {
    checkClientVersion(request);
    const handled = await route.handler(call);
    const response = route.log ? logged(call, handled) : handled;
    return route.cors && !response.webSocket ? withCors(request, env, response) : response;
  } catch (error) {
    const response = logged(call, refusedAnswer(error, route.inWords), error);
    return withCors(request, env, route.inWords ? response : retryableStream(request, response));
  }
}

function logged(call: Call, response: Response, error: unknown = response): Response {
  const { request, env } = call;
  const code = response.headers.get("x-dormouse-error");
  if (!code || UNLOGGED.has(code)) return response;
  const hub = requestedHub(request, call);
  const claim = response.headers.get("x-dormouse-claim") ?? undefined;
  logRefusal(request, env, { hub, status: response.status, code, claim, error });
  return response;
}

/** Refusals that are not logged, because clients cause them in normal operation. */
const UNLOGGED: ReadonlySet<string> = new Set<ErrorCode>(["connection_ended"]);

/** A slash at the end changes nothing, here and below, as in ASP.NET Core. */
const ROOMS = ["/hubs/:hub/:kind/:name", "/parties/:hub/:room"].flatMap(withSlash);
const RPC = withSlash("/hubs/:hub/rpc");

/**
 * Rooms and hubs in JSON-RPC, and rooms as event streams. One path serves both a room's WebSocket and its event stream:
 * the headers of the request decide.
 */
const ROOM_ROUTES: readonly Route[] = [
  {
    method: "GET",
    paths: ROOMS,
    ...{ cors: true, log: true },
    handler: (call) => (wantsWebSocket(call.request) ? enterRoom : readRooms)(call.request, call),
  },
  preflightRoute(["/hubs/*", "/parties/*", "/client/*", ...GRPC_PATHS]),
  {
    method: "GET",
    paths: RPC,
    ...{ cors: false, log: true },
    handler: (call) => enterHub(call.request, call),
  },
  {
    method: "POST",
    paths: RPC,
    ...{ cors: true, log: true },
    handler: (call) => callHub(call.request, call),
  },
  {
    method: "ALL",
    paths: RPC,
    ...{ cors: true, log: false },
    handler: () => methodNotAllowed("GET", "POST"),
  },
];

/** Answers verbs that a room does not have. Must come after all other routes. */
const otherVerbs: Route = {
  method: "ALL",
  paths: ROOMS,
  ...{ cors: true, log: false },
  handler: () => methodNotAllowed("GET"),
};

/** Paths to which SignalR's clients connect: a hub's own, or Azure's, if an application negotiated for them. */
const signalR = (path: string) =>
  ["/hubs/:hub", "/client"].flatMap((door) => withSlash(`${door}${path}`));

// Other verbs than POST at a negotiation are 405; the handler of `{hub}` itself takes all verbs, and answers them.
const SIGNALR_ROUTES: readonly Route[] = [
  {
    method: "POST",
    paths: signalR("/negotiate"),
    ...{ cors: true, log: false, inWords: true },
    handler: (call) => negotiate(call.request, call),
  },
  {
    method: "POST",
    paths: signalR("/refresh"),
    ...{ cors: true, log: true },
    handler: (call) => refresh(call.request, call),
  },
  {
    method: "ALL",
    paths: [...signalR("/negotiate"), ...signalR("/refresh")],
    ...{ cors: true, log: false },
    handler: () => refusal("method_not_allowed", "", "POST"),
  },
  {
    method: "ALL",
    paths: signalR(""),
    ...{ cors: true, log: true, inWords: true },
    handler: (call) => connect(call.request, call),
  },
];
