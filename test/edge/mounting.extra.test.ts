// The endpoint below a path: mounted by another Hono application, and with a base path of its own. Every door is found,
// and tokens that are signed for a URL are for the URL as it was sent.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { backend } from "../../src/client/backend/index.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import { hubs, paths } from "../../src/hubs/index.ts";
import { grpc } from "../../src/grpc-server.ts";
import { serve } from "../../src/server.ts";
import worker from "../support/worker.ts";
import { token } from "../rooms/client.ts";
import { KEY, signedFor } from "./rest/service.ts";

const based = serve(hubs, { basePath: "/realtime", paths, grpc }).endpoint;
const mounted = new Hono().get("/own", (context) => context.text("own")).route("/realtime", worker);
const slashed = serve(hubs, { basePath: "/realtime/", paths, grpc }).endpoint;
const regional = serve(hubs, { basePath: "/:region{eu|us}", paths, grpc }).endpoint;
const mountedWithSlash = new Hono().route("/realtime/", worker);
const nested = new Hono().route("/:region/v1", worker);
const twice = new Hono().route("/eu", serve(hubs, { basePath: "/v1", paths, grpc }).endpoint);

interface Door {
  fetch(request: Request, env: unknown, context: ExecutionContext): Response | Promise<Response>;
}

describe.each<[string, Door, string]>([
  ["app.route", mounted, "/realtime"],
  ["basePath", based, "/realtime"],
  ["basePath with a slash at its end", slashed, "/realtime"],
  ["basePath at a pattern", regional, "/us"],
  ["app.route with a slash at its end", mountedWithSlash, "/realtime"],
  ["app.route at a pattern", nested, "/eu/v1"],
  ["app.route of a base path", twice, "/eu/v1"],
])("by %s", (_, door, prefix) => {
  const urlOf = (path: string) => `https://edge.example${prefix}${path}`;

  async function ask(path: string, init: RequestInit = {}, bearer?: string): Promise<Response> {
    const authorization = `Bearer ${bearer ?? (await token("alice"))}`;
    const request = new Request(urlOf(path), {
      ...init,
      headers: { authorization, ...(init.headers as Record<string, string>) },
    });
    return door.fetch(request, env, createExecutionContext());
  }

  /** The status of an upgrade, whose socket is closed. */
  async function upgraded(path: string, bearer?: string): Promise<number> {
    const response = await ask(path, { headers: { upgrade: "websocket" } }, bearer);
    response.webSocket?.accept();
    response.webSocket?.close(1000);
    return response.status;
  }

  it.each(["/hubs/chat/groups/lobby", "/parties/chat/group:lobby", "/hubs/chat/rpc", "/hubs/chat"])(
    "upgrades at %s",
    async (path) => {
      expect(await upgraded(path)).toBe(101);
    },
  );

  it("serves SignalR's negotiation, polls and refresh, and JSON-RPC over HTTP", async () => {
    const negotiated = await ask("/hubs/chat/negotiate?negotiateVersion=1", { method: "POST" });
    const { connectionToken } = await negotiated.json<{ connectionToken: string }>();
    const id = encodeURIComponent(connectionToken);
    expect((await ask(`/hubs/chat/?id=${id}`)).status).toBe(200);
    const body = '{"protocol":"json","version":1}\u001e';
    expect((await ask(`/hubs/chat/?id=${id}`, { method: "POST", body })).status).toBe(200);
    const headers = { "x-signalr-connection-token": connectionToken };
    expect((await ask("/hubs/chat/refresh", { method: "POST", headers })).status).toBe(200);
    const call = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "$/presence", params: [] });
    const json = { "content-type": "application/json" };
    expect(
      (await ask("/hubs/chat/rpc", { method: "POST", body: call, headers: json })).status,
    ).toBe(200);
  });

  it("streams events, and serves gRPC", async () => {
    const events = await ask("/hubs/chat/groups/lobby", {
      headers: { accept: "text/event-stream" },
    });
    expect(events.status).toBe(200);
    await events.body!.cancel();
    const health = await ask("/grpc.health.v1.Health/Check", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect(await health.json()).toEqual({ status: "SERVING" });
  });

  it("serves the application's own paths", async () => {
    const body = '{"jsonrpc":"2.0","id":1,"method":"add","params":{"a":2,"b":3}}';
    const json = { "content-type": "application/json" };
    const sum = await ask("/jsonrpc", { method: "POST", body, headers: json });
    expect(await sum.json()).toMatchObject({ id: 1, result: 5 });
    expect(await upgraded("/jsonrpc")).toBe(101);
    const events = await ask("/events/orders");
    expect(events.headers.get("content-type")).toContain("text/event-stream");
    await events.body!.cancel();
    expect((await ask("/jsonrpc", { method: "PUT" })).status).toBe(405);
  });

  it("takes services' tokens for the URL with its prefix alone", async () => {
    const path = "/api/hubs/chat/rooms/group:lobby/presence_stats";
    expect((await ask(path, {}, await signedFor(urlOf(path)))).status).toBe(200);
    const stripped = await signedFor(`https://edge.example${path}`);
    expect((await ask(path, {}, stripped)).status).toBe(401);
    expect((await ask("/api/health")).status).toBe(200);
  });

  it("takes clients' tokens likewise, those that it signs itself among them", async () => {
    const path = "/api/hubs/chat/:generateToken?userId=zoe";
    const generated = await ask(path, { method: "POST" }, await signedFor(urlOf(path)));
    const { token: bearer } = await generated.json<{ token: string }>();
    const negotiate = { method: "POST" };
    expect((await ask("/client/negotiate?hub=chat", negotiate, bearer)).status).toBe(200);
    expect(await upgraded("/client/?hub=chat", bearer)).toBe(101);
    const own = await signedFor(urlOf("/client/?hub=chat"), { claims: { nameid: "zoe" } });
    expect((await ask("/client/negotiate?hub=chat", negotiate, own)).status).toBe(200);
    const stripped = await signedFor("https://edge.example/client/?hub=chat");
    expect((await ask("/client/negotiate?hub=chat", negotiate, stripped)).status).toBe(401);
  });

  it("is reached by our own back end, which signs for the whole URL", async () => {
    const fetcher = {
      fetch: async (...request: ConstructorParameters<typeof Request>) =>
        door.fetch(
          new Request(...request) as Request<unknown, CfProperties>,
          env,
          createExecutionContext(),
        ),
    } as unknown as Fetcher;
    const chat = backend<ChatHub>({ url: urlOf("/hubs/chat"), accessKey: KEY, fetcher });
    await chat.clients.group("lobby").userJoined("alice", "lobby");
    expect(await chat.group("lobby").presence.count()).toMatchObject({ connections: 0 });
    const { url, accessToken } = await chat.negotiate({ userId: "zoe" });
    expect(url).toBe(urlOf("/client/?hub=chat"));
    const negotiate = { method: "POST" };
    expect((await ask("/client/negotiate?hub=chat", negotiate, accessToken)).status).toBe(200);
  });

  it("refuses in the same forms", async () => {
    const room = await ask("/hubs/none/groups/lobby", { headers: { upgrade: "websocket" } });
    expect([room.status, await room.json()]).toEqual([
      404,
      {
        error: {
          code: "hub_not_found",
          message: 'There is no hub "none".',
          action: expect.any(String),
        },
      },
    ]);
    const hub = await ask("/hubs/none/negotiate", { method: "POST" });
    expect([hub.status, await hub.text()]).toEqual([404, 'There is no hub "none".']);
    expect((await ask("/nothing")).status).toBe(404);
  });

  it("answers preflights", async () => {
    const response = await ask("/hubs/chat/refresh", {
      method: "OPTIONS",
      headers: { origin: "https://app.example" },
    });
    expect([response.status, response.headers.get("vary")]).toEqual([204, "Origin"]);
  });
});

it("leaves an application its own routes", async () => {
  const response = await mounted.fetch(new Request("https://edge.example/own"), env);
  expect(await response.text()).toBe("own");
});

it("answers what an application has not found, so that a client learns that its URL is wrong", async () => {
  const app = new Hono().route("/realtime", worker);
  app.notFound((context) => worker.fetch(context.req.raw, context.env as never));
  const request = new Request("https://edge.example/groups/lobby?dormouse=0.1.0", {
    headers: { upgrade: "websocket" },
  });
  const { status, webSocket } = await app.fetch(request, env, createExecutionContext());
  expect(status).toBe(101);
  const closed = new Promise<CloseEvent>((resolve) =>
    webSocket!.addEventListener("close", resolve),
  );
  webSocket!.accept();
  expect(await closed).toMatchObject({
    code: 4520,
    reason: "not_found: There is nothing at this path.",
  });
});

it.each(["/euro", "/plus"])("a pattern of the base path does not match %s", async (prefix) => {
  const request = new Request(`https://edge.example${prefix}/hubs/chat`);
  expect((await regional.fetch(request, env, createExecutionContext())).status).toBe(404);
});
