// JSON-RPC over HTTP: a call, a batch or notifications in one request, whose caller is a connection for its length.

import { env, exports } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import type { AccountObjectRpc as Accounts } from "../../../src/rooms/rpc/account-rpc.ts";
import { accountName } from "../../../src/rooms/rpc/object-names.ts";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { enter, roomAt, token, type Frame } from "../client.ts";
import { relayOf } from "./client.ts";

interface Posted {
  readonly claims?: Record<string, unknown>;
  readonly hub?: string;
  readonly user?: string;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
  readonly method?: string;
}

async function post(body: unknown, options: Posted = {}): Promise<Response> {
  const { hub = "relayed", user = "alice", claims, headers, signal, method = "POST" } = options;
  return exports.default.fetch(`https://edge.example/hubs/${hub}/rpc`, {
    method,
    headers: {
      authorization: `Bearer ${await token(user, claims)}`,
      "content-type": "application/json",
      ...headers,
    },
    ...(method === "POST" && { body: isRaw(body) ? body : JSON.stringify(body) }),
    ...(signal && { signal }),
  });
}

const isRaw = (body: unknown): body is string | Uint8Array =>
  typeof body === "string" || body instanceof Uint8Array;

const call = (id: string | number | null, method: string, ...params: unknown[]) => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});
const notify = (method: string, ...params: unknown[]) => ({ jsonrpc: "2.0", method, params });

/** Sockets and connections of the relay that answered. */
const left = (connectionId: string): Promise<number> =>
  runInDurableObject(
    relayOf("relayed", connectionId),
    (object) =>
      (object as unknown as { parts: { connections: { all: Set<unknown> } } }).parts.connections.all
        .size,
  );

it("answers a call, and leaves no connection behind", async () => {
  const response = await post(call(7, "whoami"));
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/json");
  const { id, result } = await response.json<Frame>();
  expect([id, result.userId]).toEqual([7, "alice"]);
  expect(await left(result.connectionId)).toBe(0);
});

it("answers a batch in its order, each call for itself", async () => {
  const batch = [call("a", "whoami"), call("b", "none"), notify("sayAll", "x"), 1, call(3, "add")];
  const response = await post(batch);
  expect(response.status).toBe(200);
  const answers = await response.json<Frame[]>();
  expect(answers.map(({ id, error }) => [id, error?.code])).toEqual([
    ["a", undefined],
    ["b", -32601],
    [null, -32600],
    [3, -32602],
  ]);
});

it.each([
  ["one notification", notify("say", "posted", "one")],
  ["many", Array.from({ length: 5 }, (_, i) => notify("say", "posted", `${i}`))],
])("answers 204 to %s, once all of it is done", async (_, body) => {
  using bob = await enter("relayed/group:posted", { user: "bob" });
  const response = await post(body);
  expect([response.status, await response.text()]).toEqual([204, ""]);
  const said = [body].flat().map(({ params }) => params[1]);
  await bob.heardFrame(({ params }) => params?.[0] === said.at(-1));
  expect(bob.messages("said").map(({ params }) => params[0])).toEqual(said);
});

it("says that a call failed in its answer, and 200 in its status", async () => {
  const response = await post(call(1, "$/join", { room: "user:bob" }));
  expect(response.status).toBe(200);
  expect((await response.json<Frame>()).error?.data.code).toBe("forbidden");
});

it.each([
  ["no JSON", "{", 400, -32700],
  ["a word of sockets", '{"type":6}\u001e', 400, -32700],
  ["bytes that are no text", new Uint8Array([0x22, 0xff, 0x22]), 400, -32700],
  ["an empty batch", "[]", 400, -32600],
  ["no request", "1", 400, -32600],
  ["another version", JSON.stringify({ jsonrpc: "1.0", id: 1, method: "x" }), 400, -32600],
  ["a batch too long", JSON.stringify(Array(101).fill(notify("x"))), 413, -32006],
])("refuses %s by status and by error", async (_, body, status, code) => {
  const response = await post(body);
  expect(response.status).toBe(status);
  expect((await response.json<Frame>()).error?.code).toBe(code);
  expect(response.headers.get("x-dormouse-error")).toBeTruthy();
});

it.each([
  ["too long", { body: " ".repeat(40_000) }, 413, "too_large"],
  ["of another type", { headers: { "content-type": "text/plain" } }, 415, "unsupported_media_type"],
  ["without a token", { headers: { authorization: "" } }, 401, "token_missing"],
  ["of another origin", { headers: { origin: "https://evil.example" } }, 403, "forbidden_origin"],
  ["to a hub that is none", { hub: "none" }, 404, "hub_not_found"],
  ["to a hub for others", { hub: "admin" }, 403, "forbidden"],
])(
  "refuses a body %s",
  async (_, { body = "{}", ...options }: Posted & { body?: string }, status, code) => {
    const response = await post(body, options);
    expect([response.status, response.headers.get("x-dormouse-error")]).toEqual([status, code]);
  },
);

it("knows no other methods", async () => {
  const response = await post("", { method: "PUT" });
  expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
});

it.each([
  ["streams to it", "prices", call(1, "streamPrices", "X"), "wrong_kind"],
  ["takes a stream from it", "uploads", call(1, "uploadData", { $stream: "s" }), "wrong_kind"],
  ["asks it", "ask", call(1, "askMe", "ready?"), "client_error"],
])("refuses what %s", async (_, hub, body, code) => {
  const response = await post(body, { hub });
  expect(response.status).toBe(200);
  expect((await response.json<Frame>()).error?.data.code).toBe(code);
});

it("is in the rooms it joins for as long as it lasts", async () => {
  const response = await post([call(1, "join", "posting"), call(2, "members", "posting")]);
  const [, members] = await response.json<Frame[]>();
  expect(members!.result).toMatchObject({ connections: 1 });
  const room: RoomRpc = roomAt("relayed/group:posting");
  await expect.poll(async () => (await room.presence({})).connections).toBe(0);
});

it("runs the hub's hooks and filters around it", async () => {
  await post(call(1, "trace"), { hub: "filtered", user: "tina" });
  await post(call(1, "loud", "x"), { hub: "filtered", user: "tina" });
  const { result } = await (
    await post(call(1, "trace"), { hub: "filtered", user: "uwe" })
  ).json<Frame>();
  const seen = (result as string[]).filter((line) => !/trace|uwe/.test(line));
  expect(seen.slice(-8)).toEqual([
    "outer connected tina",
    "inner connected tina",
    "outer before loud(x)",
    "inner before loud(x)",
    "inner after loud",
    "outer after loud",
    "outer disconnected tina",
    "inner disconnected tina",
  ]);
});

it("ends its call when it is gone", async () => {
  const { result } = await (await post(call(1, "whoami"))).json<Frame>();
  const gone = new AbortController();
  const request = post(call(1, "forever"), { signal: gone.signal });
  await expect.poll(() => left(result.connectionId)).toBe(1);
  gone.abort();
  await expect(request).rejects.toThrow(/abort/i);
  await expect.poll(() => left(result.connectionId)).toBe(0);
});

it.each([
  ["hub code ends", "signalr", "abort"],
  ["the hub refuses in `connected`", "signalr-shut", "echo"],
])("fails as a whole with a connection that %s", async (_, hub, method) => {
  const response = await post([call(1, method), call(2, method)], { hub });
  expect([response.status, response.headers.get("x-dormouse-error")]).toEqual([500, "interrupted"]);
});

it("answers a batch of many that are no requests, each for itself, like any other", async () => {
  const response = await post([...Array(20).fill(1), call(1, "whoami")]);
  expect(response.status).toBe(200);
  const answers = await response.json<Frame[]>();
  expect(answers.filter(({ error }) => error?.code === -32600)).toHaveLength(20);
  expect(answers.at(-1)!.result.userId).toBe("alice");
});

it("ends calls that take longer than a request may, though its client says nothing", async () => {
  const response = await post(call(1, "forever"), { hub: "impatient" });
  expect([response.status, response.headers.get("x-dormouse-error")]).toEqual([504, "timed_out"]);
});

it("ends with its token", async () => {
  // A second is left of the leeway.
  const exp = Math.floor(Date.now() / 1000) - 58;
  const response = await post(call(1, "forever"), { claims: { exp } });
  expect([response.status, response.headers.get("x-dormouse-error")]).toEqual([
    401,
    "unauthorized",
  ]);
});

it.each([
  ["its token's revocation", (account: Accounts, user: string) => account.revoke(user, {}), 401],
  ["a ban", (account: Accounts, user: string) => account.ban(user, 60, "Spam."), 403],
])("ends with %s, and says so", async (_, end, status) => {
  const user = `ends-${status}`;
  const { result } = await (await post(call(1, "whoami"), { user })).json<Frame>();
  const request = post(call(1, "forever"), { user });
  await expect.poll(() => left(result.connectionId)).toBe(1);
  const account = env.ACCOUNTS.getByName(accountName({ tenant: "default", user }));
  await end(account as unknown as Accounts, user);
  const response = await request;
  const refusal = await response.json<{ error: { code: string; message: string } }>();
  expect([response.status, refusal.error]).toMatchObject(
    status === 403
      ? [403, { code: "banned", message: "This user is banned: Spam." }]
      : [401, { code: "token_revoked", message: "The token was revoked." }],
  );
});

it("enters the hub's own room by no word of the protocol", async () => {
  const asked = [
    call(1, "$/join", { room: "all" }),
    call(2, "$/presence", { room: "all" }),
    call(3, "$/resume", { rooms: { all: "e:0" } }),
  ];
  const [joined, present, resumed] = await (await post(asked)).json<Frame[]>();
  expect([joined!.error?.data.code, present!.error?.data.code]).toEqual(["forbidden", "forbidden"]);
  expect(resumed!.result.all.error.code).toBe("forbidden");
});
