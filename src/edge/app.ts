// The worker's HTTP side: which path is answered by what, and how refusals look. No middleware touches the headers
// of an upgrade: they are immutable (PLATFORM §2).

import { Hono } from "hono";
import { Refusal, refusalResponse } from "../auth/authenticate.ts";
import { devToken, type DevTokenEnv } from "../auth/dev-tokens.ts";
import type { Hubs } from "../dispatch/tables.ts";
import { HubError, publicError } from "../model/errors.ts";
import type { ObjectEnv } from "../rooms/peers.ts";
import { preflight, readable } from "./cors.ts";
import { callHub, enterHub } from "./json-rpc.ts";
import { enterRoom } from "./rooms.ts";
import { connect, negotiate } from "./signalr.ts";
import { patient } from "./sse.ts";

export type EndpointEnv = DevTokenEnv & ObjectEnv;

export function endpoint(hubs: Hubs): Hono<{ Bindings: EndpointEnv }> {
  const app = new Hono<{ Bindings: EndpointEnv }>();
  for (const path of ["/hubs/:hub/:kind/:name", "/parties/:hub/:room"])
    app.get(path, async ({ req, env }) =>
      readable(req.raw, env, logged(req.raw, await enterRoom(req.raw, hubs, env))),
    );
  for (const path of ["/hubs/*", "/parties/*"])
    app.options(path, ({ req, env }) => preflight(req.raw, env));
  app.post("/hubs/:hub/negotiate", async ({ req, env }) =>
    readable(req.raw, env, await negotiate(req.raw, hubs, env)),
  );
  app.get("/hubs/:hub/rpc", async ({ req, env }) =>
    logged(req.raw, await enterHub(req.raw, hubs, env)),
  );
  app.post("/hubs/:hub/rpc", async ({ req, env, executionCtx }) => {
    const beyond = (work: Promise<unknown>) => executionCtx.waitUntil(work);
    return readable(req.raw, env, logged(req.raw, await callHub(req.raw, hubs, env, beyond)));
  });
  app.all(
    "/hubs/:hub/rpc",
    () => new Response(null, { status: 405, headers: { allow: "GET, POST" } }),
  );
  app.all("/hubs/:hub/negotiate", () => new Response(null, { status: 405 }));
  app.all("/hubs/:hub", async ({ req, env }) =>
    readable(req.raw, env, logged(req.raw, await connect(req.raw, hubs, env))),
  );
  app.post("/dev/token", async (c) =>
    c.json(await devToken(c.req.raw, c.env), 200, { "cache-control": "no-store" }),
  );
  app.notFound(() => answer(new HubError("not_found", "Nothing is here."), 404));
  app.onError((error, { req, env }) => {
    const response = logged(req.raw, refused(error, isSignalR(req.path)));
    return readable(req.raw, env, isSignalR(req.path) ? response : patient(req.raw, response));
  });
  return app;
}

const STATUS: ReadonlyMap<string, number> = new Map([
  ["forbidden", 403],
  ["invalid_arguments", 400],
  ["too_large", 413],
  ["not_found", 404],
  ["hub_not_found", 404],
  ["room_kind_not_found", 404],
  ["invalid_name", 400],
  ["invalid_position", 400],
  ["too_many_connections", 429],
  ["too_many_groups", 400],
  ["relay_full", 503],
  ["upgrade_required", 426],
  ["unsupported_media_type", 415],
  ["rate_limited", 429],
  ["unauthorized", 401],
  ["timed_out", 504],
  ["refused_by_webhook", 403],
  ["webhook_unavailable", 503],
]);

/** Where SignalR's clients ask: they show a body as it is, so it is a sentence there. */
const isSignalR = (path: string): boolean => /^\/hubs\/[^/]+(?:\/negotiate)?$/.test(path);

/** Every refusal has a stable code, in `x-dormouse-error` and, but for SignalR, in the body. */
function refused(error: Error, inWords: boolean): Response {
  if (error instanceof Refusal) return refusalResponse(error);
  if (isOverload(error)) return unavailable();
  const shown = publicError(error);
  if (shown.code === "internal") console.error("A request failed:", error);
  return answer(shown, STATUS.get(shown.code) ?? 500, inWords);
}

/** Browsers tell a page nothing of a refused handshake, so the log says why. Never the query: a token stands there. */
function logged({ method, url }: Request, response: Response): Response {
  const code = response.headers.get("x-dormouse-error");
  // Percent-encoded as it came: a name must not begin a line of its own.
  if (code) console.warn(`${method} ${new URL(url).pathname} refused: ${response.status} ${code}`);
  return response;
}

/** The platform's own words for an object that is reset, moved or has too much to do. */
const isOverload = (error: Error): boolean =>
  ["overloaded", "retryable"].some(
    (flag) => (error as unknown as Record<string, unknown>)[flag] === true,
  );

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
    ...(code === "webhook_unavailable" && { "retry-after": "5" }),
  };
  return inWords
    ? new Response(message, { status, headers })
    : Response.json({ error: { code, message } }, { status, headers });
}
