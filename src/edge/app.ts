// The worker's HTTP side: which path is answered by what, and how refusals look. No middleware touches the headers
// of an upgrade: they are immutable (docs/design/platform.md#pl9).

import { Hono } from "hono";
import { Refusal, refusalResponse } from "../auth/authenticate.ts";
import { devToken, type DevTokenEnv } from "../auth/dev-tokens.ts";
import type { Hubs } from "../dispatch/define/hub-tables.ts";
import { httpStatusOf } from "../model/error-table.ts";
import { HubError, publicError } from "../model/errors.ts";
import { logError } from "../model/logger.ts";
import type { ObjectEnv } from "../rooms/rpc/object-env.ts";
import type { ConnectRateEnv } from "./admit/connect-rate.ts";
import { CONNECT_PATHS, connectRpc } from "./grpc/grpc-router.ts";
import { preflight, readable } from "./answer/cors.ts";
import { callHub, enterHub } from "./json-rpc/hub-endpoint.ts";
import { logRefusal } from "./answer/refusal-log.ts";
import { enterRoom } from "./json-rpc/room-endpoint.ts";
import { mountRest } from "./rest/rest-router.ts";
import type { RateEnv } from "./rest/service-rate.ts";
import { connect, negotiate } from "./signalr/negotiate.ts";
import { refresh } from "./signalr/refresh.ts";
import { patient } from "./sse/event-streams.ts";
import { isOverload } from "./answer/overload.ts";

export type EndpointEnv = DevTokenEnv & ObjectEnv & RateEnv & ConnectRateEnv;

/** Where SignalR's clients come: by themselves, or sent by an application that negotiates for them. */
const signalR = (path: string) => [`/hubs/:hub${path}`, `/client${path}`];

export function endpoint(hubs: Hubs): Hono<{ Bindings: EndpointEnv }> {
  const app = new Hono<{ Bindings: EndpointEnv }>();
  for (const path of ["/hubs/:hub/:kind/:name", "/parties/:hub/:room"])
    app.get(path, async ({ req, env }) =>
      readable(req.raw, env, logged(req.raw, env, await enterRoom(req.raw, hubs, env))),
    );
  for (const path of ["/hubs/*", "/parties/*", "/client/*", ...CONNECT_PATHS])
    app.options(path, ({ req, env }) => preflight(req.raw, env));
  for (const path of signalR("/negotiate"))
    app.post(path, async ({ req, env }) =>
      readable(req.raw, env, await negotiate(req.raw, hubs, env)),
    );
  for (const path of signalR("/refresh"))
    app.post(path, async ({ req, env }) =>
      readable(req.raw, env, logged(req.raw, env, await refresh(req.raw, hubs, env))),
    );
  app.get("/hubs/:hub/rpc", async ({ req, env }) =>
    logged(req.raw, env, await enterHub(req.raw, hubs, env)),
  );
  app.post("/hubs/:hub/rpc", async ({ req, env, executionCtx }) => {
    const beyond = (work: Promise<unknown>) => executionCtx.waitUntil(work);
    return readable(req.raw, env, logged(req.raw, env, await callHub(req.raw, hubs, env, beyond)));
  });
  app.all(
    "/hubs/:hub/rpc",
    () => new Response(null, { status: 405, headers: { allow: "GET, POST" } }),
  );
  for (const path of [...signalR("/negotiate"), ...signalR("/refresh")])
    app.all(path, () => new Response(null, { status: 405 }));
  for (const path of [...signalR(""), "/client/"])
    app.all(path, async ({ req, env }) =>
      readable(req.raw, env, logged(req.raw, env, await connect(req.raw, hubs, env))),
    );
  const rpc = connectRpc(hubs);
  for (const path of CONNECT_PATHS)
    app.all(path, async ({ req, env, executionCtx }) => {
      const beyond = (work: Promise<unknown>) => executionCtx.waitUntil(work);
      return readable(req.raw, env, await rpc(req.raw, env, beyond));
    });
  app.post("/dev/token", async (c) =>
    c.json(await devToken(c.req.raw, c.env), 200, { "cache-control": "no-store" }),
  );
  mountRest(app, hubs);
  app.notFound(() => answer(new HubError("not_found", "Nothing is here."), 404));
  app.onError((error, { req, env }) => {
    const response = logged(req.raw, env, refused(error, isSignalR(req.path)));
    return readable(req.raw, env, isSignalR(req.path) ? response : patient(req.raw, response));
  });
  return app;
}

/** Where SignalR's clients ask: they show a body as it is, so it is a sentence there. */
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
