// The worker's HTTP side: the table of routes, and the form of errors. The first route that matches answers. No
// middleware touches the headers of an upgrade: they are immutable (docs/design/platform.md#pl9).

import type { Hono } from "hono";
import { HonoBase } from "hono/hono-base";
import type { H, RouterRoute } from "hono/types";
import { baseRoutePath } from "hono/route";
import { TrieRouter } from "hono/router/trie-router";
import type { UserIdProvider } from "../auth/authenticate.ts";
import type { HubPath } from "../dispatch/define/hub-paths.ts";
import type { Hubs } from "../dispatch/define/hub-tables.ts";
import type { Place } from "../rooms/rpc/place.ts";
import type { ErrorCode } from "../model/error-table.ts";
import { HubError } from "../model/errors.ts";
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
  /** Where the endpoint's paths begin. Default: at the root. */
  readonly basePath?: string | undefined;
  /** Paths of hubs, below `basePath` as well. */
  readonly paths?: readonly HubPath[];
  /** Replaces the claim with the user's id. */
  readonly userId?: UserIdProvider | undefined;
  /** Where objects are. */
  readonly place?: Place | undefined;
  /** Connect and gRPC-Web. */
  readonly grpc?: OptionalRoutes | undefined;
}

/**
 * The default export of a worker. The memory of the isolate is made here, and handed to the doors. All paths are below
 * `basePath`, and below the path at which another Hono application mounts this one.
 */
export function endpoint(
  hubs: Hubs,
  { basePath = "/", paths = [], userId, place, grpc }: EndpointOptions = {},
): Hono<{ Bindings: EndpointEnv }> {
  // Hono's own choice first tries to make one regular expression of all paths, which fails; and it is larger.
  const router = new TrieRouter<[H, RouterRoute]>();
  const app = new HonoBase<{ Bindings: EndpointEnv }>({ router }).basePath(anchored(basePath));
  const caches = { relays: new RelayChoice(), pings: new PostedPings(), frames: new FrameCache() };
  const isolate = { hubs, ...caches, userId, place };
  const refused = new RefusedSockets();
  const routes = [
    ...hubPathRoutes(hubs, paths),
    ...ROOM_ROUTES,
    ...SIGNALR_ROUTES,
    ...(grpc?.(isolate) ?? [withoutGrpc]),
    ...serviceRoutes(hubs),
    otherVerbs,
  ];
  for (const route of routes)
    app.on(route.method, [...route.paths], async (context) => {
      const { req, env } = context;
      const prefix = mountedAt(baseRoutePath(context), req.raw);
      // Read only when it is needed: tests call the endpoint without an execution context.
      const waitUntil: WaitUntil = (work) => context.executionCtx.waitUntil(work);
      const { hub } = route;
      const call = {
        ...isolate,
        request: req.raw,
        env,
        prefix,
        hub,
        waitUntil,
        params: () => req.param(),
      };
      // SignalR's clients know nothing of our own refusals.
      const response = await answered(route, call);
      return route.inWords || response.status < 400 ? response : refused.tell(req.raw, response);
    });
  app.notFound(({ req: { raw }, env }) =>
    refused.tell(raw, withCors(raw, env, errorAnswer(NOTHING, 404))),
  );
  return app;
}

const NOTHING = new HubError("not_found", "There is nothing at this path.");

/** Never rejects: an application that mounts the endpoint sees no error of it. */
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

/** Refusals that clients cause in the ordinary course of things. */
const UNLOGGED: ReadonlySet<string> = new Set<ErrorCode>(["connection_ended"]);

/** A slash at the end changes nothing, here and below, as in ASP.NET Core. */
const ROOMS = ["/hubs/:hub/:kind/:name", "/parties/:hub/:room"].flatMap(withSlash);
const RPC = withSlash("/hubs/:hub/rpc");

/**
 * Rooms and hubs in JSON-RPC, and rooms as event streams. One path serves a room's WebSocket and its events: clients
 * say by headers which they want.
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

/** After all others: verbs that a room does not have. */
const otherVerbs: Route = {
  method: "ALL",
  paths: ROOMS,
  ...{ cors: true, log: false },
  handler: () => methodNotAllowed("GET"),
};

/** Where SignalR's clients connect: to a hub, or to Azure's path where an application negotiated for them. */
const signalR = (path: string) =>
  ["/hubs/:hub", "/client"].flatMap((door) => withSlash(`${door}${path}`));

// Verbs that a negotiation does not have are 405; `{hub}` itself takes all verbs, and answers for them.
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
