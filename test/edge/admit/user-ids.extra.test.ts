// The user's id by a function of the application, at every door: the worker of these tests takes the claim `mailbox`
// before `sub`.

import { exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { enter, token, upgrade } from "../../rooms/client.ts";
import { connected } from "../../rooms/relay/client.ts";
import { postRefresh } from "../../rooms/relay/members.ts";
import { ask } from "../rest/service.ts";

const MAILBOX = { mailbox: "alice@mail.example" };
const BAD = { mailbox: "" };

beforeEach(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

it("is the user of rooms and of presence", async () => {
  using alice = await enter("presence/group:mailboxes", { user: "alice", claims: MAILBOX });
  const { result } = await alice.call("getOnlineUsers");
  expect(result).toContain("alice@mail.example");
  expect(
    (await upgrade(`/hubs/presence/users/alice?access_token=${await token("alice", MAILBOX)}`))
      .status,
  ).toBe(403);
});

it("stays with a fresh token, which is refused where it gives another", async () => {
  using alice = await enter("presence/group:mailboxes", { user: "alice", claims: MAILBOX });
  const refresh = async (user: string, claims: object) =>
    (await alice.call("$/refresh", { token: await token(user, { ...claims }) })).error?.data.code;
  expect(await refresh("renamed", MAILBOX)).toBeUndefined();
  expect(await refresh("alice", {})).toBe("forbidden");
  expect(await refresh("alice", BAD)).toBe("token_user_id_invalid");
});

it("stays with a fresh token of SignalR", async () => {
  using alice = await connected("relayed", { claims: MAILBOX });
  const status = async (claims: object) =>
    (await postRefresh("relayed", alice.token, await token("renamed", { ...claims }))).status;
  expect([await status(MAILBOX), await status({})]).toEqual([200, 404]);
});

it("is the account that bans hold for", async () => {
  const user = "banned@mail.example";
  const banned = await ask("POST", `/hubs/presence/users/${user}/:ban`, { body: { seconds: 60 } });
  expect(banned.ok).toBe(true);
  const enterWith = async (claims: Record<string, unknown>) => {
    const access = await token("alice", claims);
    const { status, webSocket } = await upgrade(`/hubs/presence/groups/a?access_token=${access}`);
    webSocket?.accept();
    webSocket?.close();
    return status;
  };
  expect([await enterWith({ mailbox: user }), await enterWith({})]).toEqual([403, 101]);
});

it.each([
  ["GET", "/hubs/presence/groups/a", { upgrade: "websocket" }],
  ["GET", "/hubs/presence/groups/a", {}],
  ["POST", "/hubs/presence/negotiate", {}],
  ["POST", "/jsonrpc", {}],
  ["GET", "/events/orders", {}],
  ["POST", "/dormouse.v1.Hub/Publish", { "content-type": "application/json" }],
])("that is invalid is refused: %s %s %o", async (method, path, headers) => {
  const authorization = `Bearer ${await token("alice", BAD)}`;
  const response = await exports.default.fetch(`https://edge.example${path}`, {
    method,
    headers: { ...headers, authorization },
    ...(method === "POST" && { body: "{}" }),
  });
  expect(response.status).toBe(401);
  const code = response.headers.get("x-dormouse-error") ?? (await response.text());
  expect(code).toContain("token_user_id_invalid");
});

it("is not asked for of services", async () => {
  const service = await token("robot", { roles: ["service"], ...BAD });
  expect(
    (await ask("GET", "/hubs/presence/groups/a/connections", { token: service })).status,
  ).toBeLessThan(400);
});
