// 401 of an object, which alone knows that a token was taken back: the same headers as those of the worker's own.

import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";
import { token } from "../../rooms/client.ts";
import { ask, ORIGIN } from "../rest/service.ts";

const JSON_TYPE = { "content-type": "application/json" };

it.each<[string, string, RequestInit & { headers: Record<string, string> }]>([
  ["a room's socket", "/hubs/plain/groups/a", { headers: { upgrade: "websocket" } }],
  ["a room's events", "/hubs/plain/groups/a", { headers: { accept: "text/event-stream" } }],
  ["a hub's socket", "/hubs/plain/rpc", { headers: { upgrade: "websocket" } }],
  [
    "a call by POST",
    "/hubs/plain/rpc",
    { method: "POST", headers: JSON_TYPE, body: '{"jsonrpc":"2.0","id":1,"method":"x"}' },
  ],
  ["SignalR's socket", "/hubs/plain", { headers: { upgrade: "websocket" } }],
])(
  "at %s challenges a token that was taken back, and is kept by no cache",
  async (_, path, init) => {
    const user = crypto.randomUUID();
    const bearer = await token(user, { jti: "taken", iat: Math.floor(Date.now() / 1000) });
    await ask("POST", `/hubs/plain/users/${user}/:revoke`, { body: { jti: "taken" } });
    const headers = { ...init.headers, authorization: `Bearer ${bearer}` };
    const response = await exports.default.fetch(ORIGIN + path, { ...init, headers });
    const named = ["x-dormouse-error", "www-authenticate", "cache-control"];
    expect([response.status, ...named.map((name) => response.headers.get(name))]).toEqual([
      ...[401, "token_revoked", 'Bearer error="invalid_token"', "no-store"],
    ]);
  },
);
