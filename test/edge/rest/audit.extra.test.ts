// What services have done to rooms and users is in the log: by whom, and to what; never with a token or a body.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { hubContext } from "../../../src/server.ts";
import { ChatHub } from "../../../src/hubs/chat.ts";
import { ask, serviceToken } from "./service.ts";

let lines: Record<string, unknown>[];
beforeEach(() => {
  lines = [];
  vi.spyOn(console, "info").mockImplementation((line: string) => void lines.push(JSON.parse(line)));
});
afterEach(() => void vi.restoreAllMocks());

const acted = () => lines.filter(({ event }) => event === "service_acted");

it.each<[string, string, string, object?]>([
  ["DELETE", "/hubs/chat/rooms/group:x/history", "removeHistory"],
  ["DELETE", "/hubs/chat/rooms/group:x", "eraseRoom"],
  ["POST", "/hubs/chat/:closeConnections", "closeConnections"],
  ["POST", "/hubs/chat/users/eve/:closeConnections", "closeUserConnections"],
  [
    ...(["POST", "/hubs/chat/:execute", "execute"] as const),
    [
      { type: "LeaveGroup", group: "x" },
      { type: "CloseConnection", reason: "private" },
    ],
  ],
  ["POST", "/hubs/chat/users/eve/:ban", "banUser", { seconds: 1, reason: "private" }],
  ["POST", "/hubs/chat/users/eve/:unban", "unbanUser"],
  ["POST", "/hubs/chat/users/eve/:revoke", "revokeTokens", { jti: "secret" }],
  ["GET", "/auth/accessKey", "accessKey"],
])("%s %s", async (method, path, operation, body) => {
  const token = await serviceToken();
  expect((await ask(method, path, { token, ...(body && { body }) })).ok).toBe(true);
  expect(acted()).toEqual([
    {
      ...{ level: "info", event: "service_acted", operation, tenant: "default" },
      ...{ service: "user shop", path: `/api${path}` },
    },
  ]);
});

it("names the key that signed, and the worker's own code; and is silent of reads, messages and failures", async () => {
  await ask("DELETE", "/hubs/chat/rooms/group:x/history", {});
  await hubContext(env, ChatHub).group("x").clearHistory();
  expect(acted().map(({ service }) => service)).toEqual(["key1 of default", "worker of default"]);
  lines = [];
  await ask("GET", "/hubs/chat/rooms/group:x/history");
  await ask("POST", "/hubs/chat/groups/x/:send", { body: { target: "t", arguments: [] } });
  const message = { target: "t", arguments: [] };
  await ask("POST", "/hubs/chat/:execute", { body: [{ type: "SendMessage", message }] });
  await ask("POST", "/hubs/chat/users/eve/:ban", { body: { seconds: 0 } });
  expect(acted()).toEqual([]);
});

it.each([[[null]], [[{ type: "CloseConnection" }]], [{ some: 1 }]])(
  "takes no item of a stream, such as %j, for commands",
  async (body) => {
    const path = "/hubs/chat/connections/x/streams/1/:send";
    expect((await ask("POST", path, { body })).status).toBe(202);
    expect(acted()).toEqual([]);
  },
);
