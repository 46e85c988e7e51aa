// Headers for caches and proxies between a client and the worker, at every door; and pages of other origins whose
// requests have no `Origin`.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../../src/worker.ts";
import { token } from "../../rooms/client.ts";

const ORIGIN = "https://app.example";

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  return () => vi.restoreAllMocks();
});

interface Asked extends RequestInit {
  readonly headers?: Record<string, string>;
  readonly role?: string;
  readonly vars?: Record<string, string>;
}

async function ask(path: string, { role, vars, headers, ...init }: Asked = {}) {
  const authorization = `Bearer ${await token("alice", role ? { role } : {})}`;
  const response = await worker.fetch(
    new Request(`https://edge.example${path}`, { ...init, headers: { authorization, ...headers } }),
    { ...env, ALLOWED_ORIGINS: ORIGIN, ...vars },
    createExecutionContext(),
  );
  await response.body?.cancel();
  return response;
}

const JSON_TYPE = { "content-type": "application/json" };
const EVENTS = { accept: "text/event-stream" };
const post = (headers: Record<string, string> = {}, body = "") =>
  ({ method: "POST", headers, body }) as const;

const ANSWERS: readonly (readonly [door: string, path: string, asked: Asked])[] = [
  ["negotiation", "/hubs/chat/negotiate?negotiateVersion=1", post()],
  ["a refused poll", "/hubs/chat?id=x", {}],
  ["a refresh", "/hubs/chat/refresh?id=x", post()],
  ["a call", "/hubs/chat/rpc", post(JSON_TYPE, '{"jsonrpc":"2.0","id":1,"method":"x"}')],
  ["a room's events", "/hubs/chat/groups/cached", { headers: EVENTS }],
  ["a call by Connect", "/dormouse.v1.Hub/Invoke", post(JSON_TYPE, '{"hub":"chat"}')],
  ["REST", "/api/hubs/chat/rooms/group:x/members", { role: "service" }],
  ["metrics", "/api/metrics", { role: "service" }],
  ["a guest's token", "/dev/token", { ...post({}, '{"user":"a"}'), vars: { DEMO_GUESTS: "1" } }],
  ["a path that there is not", "/nothing", {}],
];

describe("no cache keeps", () => {
  it.each(ANSWERS)("%s", async (_door, path, asked) => {
    const { headers } = await ask(path, asked);
    expect(headers.get("cache-control")).toMatch(/\bno-store\b/);
  });
});

describe("no proxy collects or compresses", () => {
  it.each([
    ["a room's events", "/hubs/chat/groups/cached", { headers: EVENTS }],
    [
      "a stream of Connect",
      "/dormouse.v1.Hub/Subscribe",
      post({ "content-type": "application/connect+json" }),
    ],
    [
      "a stream of gRPC-Web",
      "/dormouse.v1.Hub/Subscribe",
      post({ "content-type": "application/grpc-web+proto" }),
    ],
  ])("%s", async (_door, path, asked) => {
    const { status, headers } = await ask(path, asked);
    expect([status, headers.get("x-accel-buffering")]).toEqual([200, "no"]);
    expect(headers.get("cache-control")).toMatch(/\bno-transform\b/);
  });
});

it("a preflight varies by what it repeats", async () => {
  const { headers } = await ask("/hubs/chat/negotiate", {
    method: "OPTIONS",
    headers: { origin: ORIGIN, "access-control-request-headers": "x-signalr-user-agent" },
  });
  expect(headers.get("access-control-allow-headers")).toBe("x-signalr-user-agent");
  expect(headers.get("vary")).toBe("Origin, Access-Control-Request-Headers");
});

it("a page of an allowed origin reads which claim was refused", async () => {
  const { headers } = await ask("/hubs/chat/groups/x", {
    headers: {
      origin: ORIGIN,
      authorization: `Bearer ${await token("alice", { caps: 5 })}`,
    },
  });
  expect(headers.get("x-dormouse-claim")).toBe("caps");
  expect(headers.get("access-control-expose-headers")).toMatch(/\bx-dormouse-claim\b/);
});

it("a page of another origin opens no stream by a request without Origin", async () => {
  const unnamed = { "sec-fetch-mode": "no-cors", "sec-fetch-site": "cross-site" };
  for (const path of ["/hubs/chat/groups/unnamed", "/hubs/chat?id=x", "/hubs/chat/rpc"]) {
    const answer = await ask(path, { headers: { ...EVENTS, ...unnamed } });
    const code = answer.headers.get("x-dormouse-error");
    expect([path, answer.status, code]).toEqual([path, 403, "forbidden_origin"]);
  }
});
