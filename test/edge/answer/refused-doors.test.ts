// 401 and 403 at every door: a JSON body with the code and a sentence.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { adviceFor } from "../../../src/model/error-advice.ts";
import { ERRORS } from "../../../src/model/error-table.ts";
import worker from "../../../src/worker.ts";
import { token } from "../../rooms/client.ts";

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  return () => vi.restoreAllMocks();
});

interface Door {
  readonly method?: string;
  /** Where the user alice may not be. */
  readonly closed: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const JSON_TYPE = { "content-type": "application/json" };
const DOORS: Readonly<Record<string, Door>> = {
  "a room's socket": { closed: "/hubs/admin/groups/x", headers: { upgrade: "websocket" } },
  "partysocket's": { closed: "/parties/admin/group:x", headers: { upgrade: "websocket" } },
  "a room's events": { closed: "/hubs/admin/groups/x", headers: { accept: "text/event-stream" } },
  "her own room's socket": { closed: "/hubs/admin/users/alice", headers: { upgrade: "websocket" } },
  "her own room's events": {
    ...{ closed: "/hubs/admin/users/alice", headers: { accept: "text/event-stream" } },
  },
  "a hub's socket": { closed: "/hubs/admin/rpc", headers: { upgrade: "websocket" } },
  "a call by POST": { closed: "/hubs/admin/rpc", method: "POST", headers: JSON_TYPE, body: "{}" },
  negotiation: { closed: "/hubs/admin/negotiate", method: "POST" },
  "SignalR's socket": { closed: "/hubs/admin", headers: { upgrade: "websocket" } },
  "SignalR's poll": { closed: "/hubs/admin?id=x" },
  REST: { closed: "/api/hubs/chat/:send", method: "POST", headers: JSON_TYPE, body: "{}" },
  metrics: { closed: "/api/metrics" },
  "Connect in JSON": {
    ...{ closed: "/dormouse.v1.Hub/Publish", method: "POST", headers: JSON_TYPE },
    body: JSON.stringify({ hub: "admin", topic: "group:x", target: "x", arguments: [] }),
  },
};

async function ask({ closed, ...init }: Door, more: Record<string, string>) {
  const headers = { ...init.headers, ...more };
  const request = new Request(`https://edge.example${closed}`, { ...init, headers });
  const response = await worker.fetch(request, { ...env }, createExecutionContext());
  const body = await response.json<Record<string, unknown>>();
  // REST has Azure's form, Connect its own: both have the members at the top.
  const { code, message } = (body["error"] ?? body) as { code: string; message: string };
  return {
    status: response.status,
    header: response.headers.get("x-dormouse-error"),
    code,
    message,
  };
}

const SENTENCE = expect.stringMatching(/^[A-Z].*\.$/);

describe.each(Object.entries(DOORS))("%s", (name, door) => {
  const isConnect = name.startsWith("Connect");

  it("says 401 in JSON, with code and sentence", async () => {
    const code = "token_malformed";
    expect(await ask(door, { authorization: "Bearer nonsense" })).toEqual({
      ...{ status: 401, header: code, message: SENTENCE },
      code: isConnect ? "unauthenticated" : code,
    });
  });

  it("says 403 in JSON, with code and sentence", async () => {
    expect(await ask(door, { authorization: `Bearer ${await token("alice")}` })).toEqual({
      ...{ status: 403, header: "forbidden", message: SENTENCE },
      code: isConnect ? "permission_denied" : "forbidden",
    });
  });
});

it("a refresh says 401 in .NET's form, with code and sentence beside it", async () => {
  const request = new Request("https://edge.example/hubs/chat/refresh?id=x", { method: "POST" });
  const response = await worker.fetch(request, { ...env }, createExecutionContext());
  expect([response.status, await response.json()]).toEqual([
    401,
    { error: "invalid_token", code: "token_missing", message: SENTENCE },
  ]);
});

it("development's tokens are refused to pages of others in JSON", async () => {
  const request = new Request("http://127.0.0.1:8787/dev/token", {
    ...{ method: "POST", body: '{"user":"alice"}' },
    headers: { origin: "https://evil.example" },
  });
  const vars = { ...env, DEV_TOKENS: "1" };
  const response = await worker.fetch(request, vars, createExecutionContext());
  expect([response.status, await response.json()]).toMatchObject([
    403,
    { error: { code: "forbidden_origin", message: SENTENCE } },
  ]);
});

it("every code of a refusal for good has advice", () => {
  const codes = Object.entries(ERRORS).flatMap(([code, { http }]) =>
    http === 401 || http === 403 ? [code] : [],
  );
  expect(codes.filter((code) => adviceFor(code) === undefined)).toEqual([]);
});
