// What the endpoint refuses, how it says so, and that no object is touched by it.

import { createExecutionContext, listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import worker from "../../../src/worker.ts";
import { token, upgrade } from "../../rooms/client.ts";

/** A namespace that remembers which objects were asked for, and has none. */
function spied() {
  const touched: string[] = [];
  const touch = (name: string) => {
    touched.push(name);
    throw new Error(`${name} was touched.`);
  };
  const objects = { getByName: touch, get: touch, idFromName: touch, newUniqueId: touch };
  return { touched, objects: objects as unknown as typeof env.ROOMS & typeof env.RELAYS };
}

interface Asked {
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly vars?: Record<string, unknown>;
  readonly method?: string;
}

async function ask({ path, headers = {}, vars = {}, method = "GET" }: Asked) {
  const { touched, objects } = spied();
  const request = new Request(`https://edge.example${path}`, {
    method,
    headers: { upgrade: "websocket", ...headers },
  });
  const response = await worker.fetch(
    request,
    { ...env, ...vars, ROOMS: objects, RELAYS: objects },
    createExecutionContext(),
  );
  return { response, touched, body: await response.text() };
}

const bearer = async (user = "alice", claims = {}) => ({
  authorization: `Bearer ${await token(user, claims)}`,
});

const told = ({ response, body, touched }: Awaited<ReturnType<typeof ask>>) => ({
  status: response.status,
  code: response.headers.get("x-dormouse-error"),
  body,
  touched,
});

let warned: string[];
beforeEach(() => {
  warned = [];
  vi.spyOn(console, "warn").mockImplementation((line: string) => void warned.push(line));
});
afterEach(() => void vi.restoreAllMocks());

const ROOM = "/hubs/chat/groups/lobby";

const INVALID = 'Bearer error="invalid_token"';

describe("401", () => {
  it.each([
    ["no token", {}, "token_missing", "Bearer"],
    ["another scheme", { authorization: "Basic YTpi" }, "token_missing", "Bearer"],
    ["nonsense", { authorization: "Bearer nonsense" }, "token_malformed", INVALID],
    ["a huge token", { authorization: `Bearer ${"x".repeat(9_000)}` }, "token_too_large", INVALID],
  ])("answers %s, with its header, body and reason", async (_, headers, code, challenge) => {
    const asked = await ask({ path: ROOM, headers });
    expect(told(asked)).toMatchObject({ status: 401, code, touched: [] });
    expect(JSON.parse(asked.body).error).toMatchObject({ code, message: expect.any(String) });
    expect(asked.response.headers.get("www-authenticate")).toBe(challenge);
    expect(asked.response.headers.get("cache-control")).toBe("no-store");
  });

  it("answers an expired token, and one of another audience", async () => {
    const expired = await bearer("alice", { exp: Math.floor(Date.now() / 1000) - 100 });
    expect(told(await ask({ path: ROOM, headers: expired })).code).toBe("token_expired");
    const headers = await bearer();
    const foreign = await ask({ path: ROOM, headers, vars: { JWT_AUDIENCE: "another" } });
    expect(told(foreign)).toMatchObject({ status: 401, code: "token_wrong_audience", touched: [] });
  });

  it("comes before anything is said of hubs, kinds and names", async () => {
    for (const path of ["/hubs/none/groups/x", "/hubs/chat/none/x", "/parties/chat/group:%00"])
      expect(told(await ask({ path })).status).toBe(401);
  });
});

describe("what a valid token may not do", () => {
  it.each([
    ["an unknown hub", "/hubs/none/groups/x", 404, "hub_not_found"],
    ["a hub by a prototype's name", "/hubs/__proto__/groups/x", 404, "hub_not_found"],
    ["a hub named constructor", "/parties/constructor/group:x", 404, "hub_not_found"],
    ["an unknown kind", "/hubs/chat/rooms/x", 404, "room_kind_not_found"],
    ["a kind by a prototype's name", "/hubs/chat/toString/x", 404, "room_kind_not_found"],
    ["a kind in the singular", "/hubs/chat/group/x", 404, "room_kind_not_found"],
    ["the room of everybody", "/parties/chat/all", 404, "room_kind_not_found"],
    ["a party without a kind", "/parties/chat/lobby", 404, "room_kind_not_found"],
    ["a party without a name", "/parties/chat/group:", 400, "invalid_name"],
    ["a name of 129", `/hubs/chat/groups/${"x".repeat(129)}`, 400, "invalid_name"],
    ["a name with NUL", "/hubs/chat/groups/a%00b", 400, "invalid_name"],
    ["a name with CRLF", "/hubs/chat/groups/a%0D%0Ax-injected:%201", 400, "invalid_name"],
    ["a lone surrogate", "/hubs/chat/groups/%ED%A0%80", 400, "invalid_name"],
    ["half an escape", "/hubs/chat/groups/%E4%A", 400, "invalid_name"],
    ["another user's room", "/hubs/chat/users/bob", 403, "forbidden"],
    ["a closed hub's room", "/hubs/admin/groups/x", 403, "forbidden"],
    ["another position", `${ROOM}?since=nonsense`, 400, "invalid_position"],
  ])("refuses %s", async (_, path, status, code) => {
    const asked = await ask({ path, headers: await bearer() });
    expect(told(asked)).toMatchObject({ status, code, touched: [] });
    expect(JSON.parse(asked.body).error).toMatchObject({ code, message: expect.any(String) });
    expect(asked.response.headers.get("x-injected")).toBeNull();
  });

  it.each([
    ["/hubs/none", 404, "hub_not_found", 'There is no hub "none".'],
    ["/hubs/none/negotiate", 404, "hub_not_found", 'There is no hub "none".'],
  ])("refuses %s in words, which SignalR's clients show", async (path, status, code, words) => {
    const method = path.endsWith("negotiate") ? "POST" : "GET";
    const asked = await ask({ path, method, headers: await bearer() });
    expect(told(asked)).toMatchObject({ status, code, touched: [] });
    expect(asked.body).toBe(words);
  });

  it("asks for an upgrade where there is none", async () => {
    for (const other of ["", "h2c"]) {
      const headers = { ...(await bearer()), upgrade: other };
      const asked = await ask({ path: ROOM, headers });
      expect(told(asked)).toMatchObject({ status: 426, code: "upgrade_required", touched: [] });
      expect(asked.response.headers.get("upgrade")).toBe("websocket");
    }
  });

  it.each(["/", "/hubs", "/hubs/chat/groups", "/hubs/chat/groups/a/b", "/parties/x"])(
    "has nothing at %s",
    async (path) => {
      const asked = await ask({ path, headers: await bearer() });
      expect(told(asked)).toMatchObject({ status: 404, touched: [] });
    },
  );

  it("has nothing for other verbs", async () => {
    const asked = await ask({ path: ROOM, headers: await bearer(), method: "POST" });
    expect(told(asked)).toMatchObject({ status: 405, touched: [] });
  });
});

describe("an origin", () => {
  it.each([
    "https://evil.example",
    "null",
    "https://edge.example.evil.example",
    "http://edge.example",
  ])("%s is refused with 403, before the token is read", async (origin) => {
    const asked = await ask({ path: ROOM, headers: { origin } });
    expect(told(asked)).toMatchObject({ status: 403, code: "forbidden_origin", touched: [] });
  });

  it("that is allowed comes as far as the object", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    for (const origin of ["https://edge.example", "https://app.example"]) {
      const headers = { ...(await bearer()), origin };
      const vars = { ALLOWED_ORIGINS: "https://app.example" };
      const { touched } = await ask({ path: ROOM, headers, vars });
      expect(touched).toEqual(["default/chat/group/lobby"]);
    }
  });
});

it("a hub as a whole is at a relay, and at no room", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const { touched } = await ask({ path: "/hubs/chat", headers: await bearer() });
  expect(touched).toEqual([expect.stringMatching(/^default\/chat\/relay\/[^/]+$/)]);
});

describe("500", () => {
  it.each([
    ["JWT_SECRET", { JWT_SECRET: "" }],
    ["JWT_SECRET", { JWT_SECRET: "short" }],
    ["JWT_ISSUER", { JWT_ISSUER: "" }],
    ["JWT_AUDIENCE", { JWT_AUDIENCE: "" }],
    ["ALLOWED_ORIGINS", { ALLOWED_ORIGINS: "*" }],
  ])("says that the server is misconfigured, and the log names %s", async (name, vars) => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const asked = await ask({ path: ROOM, headers: await bearer(), vars });
    expect(told(asked)).toMatchObject({ status: 500, code: "misconfigured", touched: [] });
    expect(log.mock.calls.flat().join()).toContain(name);
    expect(log.mock.calls.flat().join()).not.toContain("short");
  });

  it("says nothing of why a room failed", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const asked = await ask({ path: ROOM, headers: await bearer() });
    expect(told(asked)).toMatchObject({ status: 500, code: "internal" });
    expect(asked.body).not.toMatch(/touched|lobby| at /);
    expect(log).toHaveBeenCalledOnce();
  });
});

describe("503", () => {
  it.each(["overloaded", "retryable", "durableObjectReset"])(
    "says when a room is %s",
    async (flag) => {
      const fetch = () => Promise.reject(Object.assign(new Error("busy"), { [flag]: true }));
      const rooms = { getByName: () => ({ fetch }) } as unknown as typeof env.ROOMS;
      const request = new Request(`https://edge.example${ROOM}`, {
        headers: { upgrade: "websocket", ...(await bearer()) },
      });
      const response = await worker.fetch(
        request,
        { ...env, ROOMS: rooms },
        createExecutionContext(),
      );
      expect([response.status, response.headers.get("retry-after")]).toEqual([
        ...[503, expect.stringMatching(/^[1-5]$/)],
      ]);
    },
  );

  it("says when the keys cannot be had", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(globalThis, "fetch").mockRejectedValue(new Error("no network"));
    const vars = { JWT_SECRET: "", JWT_JWKS_URL: "https://keys.example/down" };
    const header = btoa(JSON.stringify({ alg: "RS256", kid: "k" })).replaceAll("=", "");
    const headers = { authorization: `Bearer ${header}.e30.AAAA` };
    const asked = await ask({ path: ROOM, headers, vars });
    expect(told(asked)).toMatchObject({ status: 503, code: "keys_unavailable", touched: [] });
  });
});

it.each<[number, string, () => Promise<Response>]>([
  [
    429,
    "too_many_connections",
    async () =>
      Response.json({ error: { code: "too_many_connections", message: "x" } }, { status: 429 }),
  ],
  [503, "unavailable", () => Promise.reject(Object.assign(new Error("busy"), { retryable: true }))],
])(
  "%i is to an EventSource a stream that ends: a refusal would be for good",
  async (_, code, fetch) => {
    const rooms = { getByName: () => ({ fetch }) } as unknown as typeof env.ROOMS;
    const headers = { accept: "text/event-stream", ...(await bearer()) };
    const request = new Request(`https://edge.example${ROOM}`, { headers });
    const response = await worker.fetch(
      request,
      { ...env, ROOMS: rooms },
      createExecutionContext(),
    );
    const named = ["content-type", "x-dormouse-error"].map((name) => response.headers.get(name));
    expect([response.status, ...named]).toEqual([200, "text/event-stream; charset=utf-8", code]);
    expect(await response.text()).toMatch(
      new RegExp(`^retry: (?:[5-9]\\d{3}|10000)\n: ${code}\n$`),
    );
  },
);

it("refusals are a line in the log each, without the query and on one line", async () => {
  await ask({ path: `${ROOM}?access_token=secret&since=1` });
  await ask({ path: "/hubs/none/groups/a%0Ab", headers: await bearer() });
  const refused = { level: "warn", event: "refused", method: "GET" };
  expect(warned.join()).not.toContain("\n");
  expect(warned.map((line) => JSON.parse(line))).toEqual([
    { ...refused, path: ROOM, hub: "chat", status: 401, code: "token_malformed" },
    {
      ...{ ...refused, path: "/hubs/none/groups/a%0Ab", hub: "none" },
      ...{ status: 404, code: "hub_not_found" },
    },
  ]);
});

it.each([
  ["/jsonrpc", "calculator"],
  ["/events/orders", "orders"],
  ["/parties/ch%61t/group:a", "chat"],
  ["/client/?hub=chat", "chat"],
  ["/hubs/ch%FFt/groups/a", "ch%fft"],
  ["/hubs/CHAT/rpc", "chat"],
  ["/client/?hub=Chat", "chat"],
  ["/api/hubs/chat/rooms", "chat"],
  ["/api/v1/hubs/CHAT/rooms", "chat"],
  ["/api/metrics", undefined],
])("a refusal of %s names the hub %s in the log", async (path, hub) => {
  const { response } = await ask({ path });
  expect(response.status).toBe(401);
  expect(warned.map((line) => JSON.parse(line).hub)).toEqual([hub]);
});

it("refusals are a data point each, where Analytics Engine is bound, whatever it thinks of them", async () => {
  const points: AnalyticsEngineDataPoint[] = [];
  const writeDataPoint = (point: AnalyticsEngineDataPoint) => {
    points.push(point);
    throw new Error("full");
  };
  const hub = "x".repeat(200);
  for (const path of [`${ROOM}?access_token=secret`, `/hubs/${hub}/groups/a`]) {
    const asked = await ask({ path, vars: { ANALYTICS: { writeDataPoint } } });
    expect(asked.response.status).toBe(401);
  }
  expect(points).toEqual([
    { indexes: ["chat"], blobs: ["refused", "", "chat", "", "token_malformed"], doubles: [401] },
    {
      ...{ indexes: [hub.slice(0, 32)], doubles: [401] },
      blobs: ["refused", "", hub, "", "token_missing"],
    },
  ]);
});

it("refusals leave no object behind, and one that enters does", async () => {
  const query = `?access_token=${await token("alice")}`;
  const room = `/hubs/chat/groups/${crypto.randomUUID()}`;
  const objects = async () => [
    (await listDurableObjectIds(env.ROOMS)).length,
    (await listDurableObjectIds(env.RELAYS)).length,
  ];
  const before = await objects();
  const refused = ["", "?access_token=x", `${query}&since=x`].map((text) => room + text);
  for (const path of [
    ...refused,
    `/hubs/admin/groups/x${query}`,
    `/hubs/none/groups/x${query}`,
    `/hubs/none${query}`,
    `/hubs/admin${query}`,
  ])
    expect((await upgrade(path)).status).toBeGreaterThanOrEqual(400);
  expect(await objects()).toEqual(before);
  const { webSocket } = await upgrade(room + query);
  webSocket!.accept();
  webSocket!.close();
  expect((await objects())[0]).toBeGreaterThan(before[0]!);
});
