// 405 and 415: a path that is there, with another verb, says which it has; a body of another type is not read.

import { createExecutionContext, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import worker from "../../../src/worker.ts";
import { roomAt, token } from "../../rooms/client.ts";

const ORIGIN = "https://app.example";

const ask = (method: string, path: string, init: RequestInit = {}) =>
  worker.fetch(
    new Request(`https://edge.example${path}`, { method, ...init }),
    { ...env, ALLOWED_ORIGINS: ORIGIN, ADMIN: "1" },
    createExecutionContext(),
  );

describe("405", () => {
  it.each([
    ["POST", "/hubs/chat/groups/lobby", "GET, HEAD"],
    ["DELETE", "/parties/chat/group:lobby", "GET, HEAD"],
    ["PUT", "/hubs/chat/groups/lobby/", "GET, HEAD"],
    ["PUT", "/hubs/chat/rpc", "GET, HEAD, POST"],
    ["GET", "/hubs/chat/negotiate", "POST"],
    ["GET", "/client/negotiate?hub=chat", "POST"],
    ["GET", "/hubs/chat/refresh/", "POST"],
    ["POST", "/api/health", "GET, HEAD"],
    ["POST", "/api/openapi.json", "GET, HEAD"],
    ["DELETE", "/api/metrics", "GET, HEAD"],
    ["PUT", "/api/auth/accessKey", "GET, HEAD"],
    ["PATCH", "/api/hubs/chat/rooms/group:x/history", "GET, HEAD, DELETE"],
    ["GET", "/api/v1/hubs/chat/:send", "POST"],
    ["GET", "/dormouse.v1.Hub/Publish", "POST"],
    ["POST", "/admin/", "GET, HEAD"],
    ["PUT", "/grpc.health.v1.Health/Check", "POST"],
  ])("%s %s allows %s", async (method, path, allow) => {
    const answer = await ask(method, path);
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, allow]);
  });

  it.each(["/hubs/chat/negotiate", "/client/refresh", "/hubs/chat/rpc"])(
    "has its code at %s",
    async (path) => {
      const { headers } = await ask("PATCH", path);
      expect(headers.get("x-dormouse-error")).toBe("method_not_allowed");
    },
  );

  it("is not of a path that there is not", async () => {
    expect((await ask("POST", "/hubs")).status).toBe(404);
    expect((await ask("POST", "/nothing")).status).toBe(404);
  });

  it.each([
    ["DELETE", "/hubs/chat/groups/lobby", 405],
    ["DELETE", "/hubs/chat/rpc", 405],
    ["GET", "/hubs/chat/negotiate", 405],
    ["GET", "/hubs/chat/groups/a/b", 404],
    ["GET", "/nothing", 404],
  ])("can be read by a page of an allowed origin, as 404: %s %s", async (method, path, status) => {
    const answer = await ask(method, path, { headers: { origin: ORIGIN } });
    const allowed = answer.headers.get("access-control-allow-origin");
    expect([answer.status, allowed]).toEqual([status, ORIGIN]);
  });
});

it.each([
  ["GET", "/nothing", 404],
  ["PUT", "/hubs/chat/rpc", 405],
])("without bindings, as applications test their routes: %s %s", async (method, path, status) => {
  const answer = await worker.request(`https://edge.example${path}`, { method });
  expect(answer.status).toBe(status);
});

it("a handshake is a GET: with another verb no socket is opened", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  for (const [method, path, status] of [
    ["HEAD", "/hubs/chat/groups/headed", 426],
    ["HEAD", "/hubs/chat/rpc", 426],
    ["HEAD", "/hubs/chat/rpc?dormouse=0.0.1", 400],
    ["HEAD", "/hubs/chat", 405],
    ["POST", "/hubs/chat", 400],
  ] as const) {
    const headers = { authorization: `Bearer ${await token("alice")}`, upgrade: "websocket" };
    const { status: found, webSocket } = await ask(method, path, { headers });
    expect([method, path, found, webSocket]).toEqual([method, path, status, null]);
  }
  vi.restoreAllMocks();
  const sockets = runInDurableObject(
    roomAt("chat/group:headed"),
    (_room, state) => state.getWebSockets().length,
  );
  expect(await sockets).toBe(0);
});

describe("415", () => {
  it.each([
    ["/hubs/chat/rpc", undefined],
    ["/api/hubs/chat/rooms/group:x/:publish", "service"],
    ["/api/hubs/chat/:send", "service"],
  ])("answers a form, and a body that is compressed, at %s", async (path, role) => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const authorization = `Bearer ${await token("alice", role ? { role } : {})}`;
    for (const kind of [
      { "content-type": "application/x-www-form-urlencoded" },
      { "content-type": "application/json", "content-encoding": "gzip" },
    ]) {
      const headers = { authorization, ...kind };
      const answer = await ask("POST", path, { headers, body: "target=said" });
      const code = answer.headers.get("x-dormouse-error");
      expect([answer.status, code]).toEqual([415, "unsupported_media_type"]);
    }
    vi.restoreAllMocks();
  });
});
