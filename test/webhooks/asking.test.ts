// The webhook that is asked before a client connects: in every way of connecting, and in none of going on.

import { env, exports } from "cloudflare:workers";
import { evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { EndpointEnv } from "../../src/server.ts";
import { connected, negotiate, open, relayOf } from "../relays/client.ts";
import { Client, roomAt, token, upgrade, type Frame } from "../rooms/client.ts";
import { Receiver, SECRET, type Answer } from "./receiver.ts";

let receiver: Receiver;
const set = (changes: Partial<EndpointEnv>) => Object.assign(env, changes);
const logged: string[] = [];
beforeEach(() => {
  receiver = new Receiver();
  logged.length = 0;
  set({ WEBHOOK_CONNECT_URL: receiver.urls.connect, WEBHOOK_SECRET: SECRET });
  for (const level of ["warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((text: string) => void logged.push(text));
});
afterEach(() => {
  set({ WEBHOOK_CONNECT_URL: "", WEBHOOK_URL: "", WEBHOOK_SECRET: "", WEBHOOK_EVENTS: "" });
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const granting =
  (claims: object): Answer =>
  () =>
    Response.json({ claims });
const answering =
  (status: number, body: BodyInit | null = null): Answer =>
  () =>
    new Response(body, { status });
const STAFF = { roles: ["Admin"], permissions: ["users.manage"] };

const ended = <R extends Response>(response: R): R => {
  onTestFinished(async () => {
    response.webSocket?.accept();
    response.webSocket?.close(1000);
    if (!response.webSocket) await response.body?.cancel().catch(() => {});
  });
  return response;
};
const bearer = async (claims: object) => ({
  authorization: `Bearer ${await token("alice", { ...claims })}`,
});
const ask = async (path: string, init: RequestInit = {}, claims = {}) =>
  ended(
    await exports.default.fetch(`https://edge.example${path}`, {
      ...init,
      headers: { ...init.headers, ...(await bearer(claims)) },
    }),
  );
const call = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "broadcastAlert", params: ["fire"] });
const upgrading = { headers: { upgrade: "websocket" } };

type Way = (hub: string, claims?: object) => Promise<Response>;
const WAYS: [string, Way][] = [
  ["a room's socket", (hub, claims) => ask(`/hubs/${hub}/groups/way`, upgrading, claims)],
  ["partysocket's address", (hub, claims) => ask(`/parties/${hub}/group:way`, upgrading, claims)],
  [
    "a stream of events",
    (hub, claims) =>
      ask(`/hubs/${hub}/groups/way`, { headers: { accept: "text/event-stream" } }, claims),
  ],
  ["JSON-RPC for the hub", (hub, claims) => ask(`/hubs/${hub}/rpc`, upgrading, claims)],
  [
    "JSON-RPC over HTTP",
    (hub, claims) => {
      const headers = { "content-type": "application/json" };
      return ask(`/hubs/${hub}/rpc`, { method: "POST", body: call, headers }, claims);
    },
  ],
  [
    "SignalR's negotiation",
    (hub, claims) => ask(`/hubs/${hub}/negotiate?negotiateVersion=1`, { method: "POST" }, claims),
  ],
  ["SignalR without negotiation", (hub, claims) => ask(`/hubs/${hub}`, upgrading, claims)],
];

describe.each(WAYS)("who connects by %s", (_, connect) => {
  it("is admitted as they are by 204, and asked about once", async () => {
    const { status } = await connect("chat");
    expect([101, 200]).toContain(status);
    expect(receiver.requests).toHaveLength(1);
    expect(receiver.requests[0]!.events).toMatchObject([
      {
        ...{ specversion: "1.0", type: "dormouse.connect", source: "/hubs/chat" },
        ...{ tenant: "default", data: { userId: "alice", claims: { sub: "alice" } } },
      },
    ]);
    expect(receiver.requests[0]!.headers["webhook-id"]).toBe(receiver.requests[0]!.events[0]!.id);
  });

  it.each([401, 403])("is refused by %i", async (refusal) => {
    receiver.answer = answering(refusal);
    const { status, headers } = await connect("chat");
    expect([status, headers.get("x-dormouse-error")]).toEqual([403, "refused_by_webhook"]);
  });

  it("is told to come again where there is no answer", async () => {
    receiver.answer = answering(500);
    const { status, headers } = await connect("chat");
    // An EventSource comes back from a stream that ends, and from nothing else.
    expect(status).toBe(headers.get("content-type")?.startsWith("text/event-stream") ? 200 : 503);
    expect(headers.get("x-dormouse-error")).toBe("webhook_unavailable");
  });

  it("is let in by claims that the token lacks, and not without them", async () => {
    receiver.answer = answering(204);
    expect((await connect("admin")).status).toBe(403);
    receiver.answer = granting(STAFF);
    expect([101, 200]).toContain((await connect("admin")).status);
  });

  it("is not asked about where the token, the hub or the name is wrong", async () => {
    expect((await connect("chat", { exp: 1 })).status).toBe(401);
    expect((await connect("nowhere")).status).toBe(404);
    expect(receiver.fetched).toEqual([]);
  });

  it("is refused where webhooks are misconfigured", async () => {
    set({ WEBHOOK_SECRET: "short" });
    const { status, headers } = await connect("chat");
    expect([status, headers.get("x-dormouse-error")]).toEqual([500, "misconfigured"]);
    expect(receiver.fetched).toEqual([]);
  });
});

describe("the question", () => {
  it("has the query and the room, and never a token", async () => {
    const secret = await token("alice");
    const path = `/parties/chat/group:asked?access_token=${secret}&color=red&id=x`;
    ended(await upgrade(path));
    const [{ subject, data }] = receiver.requests[0]!.events as [(typeof receiver.taken)[number]];
    expect([subject, data.room, data.query]).toEqual([
      "group:asked",
      "group:asked",
      { color: "red" },
    ]);
    expect(JSON.stringify(receiver.requests)).not.toContain(secret.split(".")[2]);
  });

  it("touches no object where the answer is no", async () => {
    receiver.answer = answering(403);
    await ask("/hubs/chat/groups/untouched", upgrading);
    await expect(evictDurableObject(roomAt("chat/group:untouched"))).rejects.toThrow(
      /not .*running/i,
    );
  });

  it("is given up after 5 s", async () => {
    // This one timer is held: all others are of objects that must go on.
    const wait = globalThis.setTimeout;
    let late = () => {};
    vi.spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void, ms?: number) => {
      if (ms !== 5_000) return wait(run, ms);
      late = run;
      return 0;
    }) as typeof setTimeout);
    const { promise, resolve } = Promise.withResolvers<void>();
    receiver.answer = (_, signal) => {
      resolve();
      return new Promise((__, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason as Error)),
      );
    };
    const response = ask("/hubs/chat/rpc", upgrading);
    await promise;
    late();
    expect((await response).status).toBe(503);
    expect((await response).headers.get("retry-after")).toBe("5");
  });

  it.each<[string, Answer]>([
    ["no JSON", answering(200, "yes")],
    ["no object", answering(200, "[]")],
    ["claims that are no object", answering(200, '{"claims":["Admin"]}')],
    ["over 4,096 bytes", granting({ own: "x".repeat(4_096) })],
    ["a redirect", answering(302)],
    ["a 400", answering(400)],
    ["a subject", granting({ sub: "root" })],
    ["a tenant", granting({ tid: "other" })],
    ["another issuer", granting({ iss: "other" })],
    ["a role of the wrong type", granting({ roles: [1] })],
    ["caps of the wrong form", granting({ caps: [{ channels: "all" }] })],
    ["a channel that is none", granting({ channels: ["planet:x"] })],
  ])("lets nobody in where the answer is %s, and says so in the log", async (__, answer) => {
    receiver.answer = answer;
    const { status, headers } = await ask("/hubs/chat/rpc", upgrading);
    expect([status, headers.get("x-dormouse-error")]).toEqual([503, "webhook_unavailable"]);
    expect(JSON.parse(logged[0]!)).toMatchObject({
      level: "error",
      event: "connect_webhook_failed",
    });
  });
});

async function inRoom(room: string, claims = {}): Promise<Client> {
  const response = await upgrade(`/parties/${room}?access_token=${await token("alice", claims)}`);
  if (!response.webSocket) throw new Error(`Refused: ${response.status}`);
  const client = new Client(response.webSocket);
  client.hello = await client.said("$/connected");
  onTestFinished(() => client[Symbol.dispose]());
  return client;
}
const codeOf = ({ error }: Frame) => error?.data.code;

describe("what was granted", () => {
  it("holds in the connection, and after its token was refreshed", async () => {
    receiver.answer = granting(STAFF);
    const client = await inRoom("admin/group:granted");
    expect(codeOf(await client.call("broadcastAlert", ["fire"]))).toBeUndefined();
    const refreshed = await client.call("$/refresh", { token: await token("alice") });
    expect(codeOf(refreshed)).toBeUndefined();
    expect(codeOf(await client.call("broadcastAlert", ["fire"]))).toBeUndefined();
    await evictDurableObject(roomAt("admin/group:granted"));
    expect(codeOf(await client.call("broadcastAlert", ["fire"]))).toBeUndefined();
    expect(receiver.requests).toHaveLength(1);
  });

  it("takes the place of what the token says", async () => {
    receiver.answer = granting({ role: "Manager", own: 2 });
    const client = await inRoom("admin/group:replaced", STAFF);
    expect(codeOf(await client.call("broadcastAlert", ["fire"]))).toBeUndefined();
    receiver.answer = granting({ permissions: [] });
    const less = await inRoom("admin/group:replaced", STAFF);
    expect(codeOf(await less.call("broadcastAlert", ["fire"]))).toBe("forbidden");
    receiver.answer = granting({ roles: [] });
    await expect(inRoom("admin/group:replaced", STAFF)).rejects.toThrow("403");
  });

  it("may open rooms, and end earlier than the token but not later", async () => {
    const now = Math.floor(Date.now() / 1000);
    const caps = [{ channels: ["user:bob"], allow: ["sub"] }];
    receiver.answer = granting({ caps, exp: now + 20 });
    const client = await inRoom("chat/user:bob", { exp: now + 100 });
    const fresh = await token("alice", { exp: now + 1_000 });
    const { result } = await client.call("$/refresh", { token: fresh });
    expect(result.expiresAt).toBe((now + 80) * 1000);
    receiver.answer = granting({ caps, exp: now + 5_000 });
    const longer = await inRoom("chat/user:bob", { exp: now + 100 });
    const refreshed = await longer.call("$/refresh", { token: fresh });
    expect(refreshed.result.expiresAt).toBe((now + 1_060) * 1000);
  });

  it("at SignalR's negotiation is the connection's that follows, which is not asked about", async () => {
    receiver.answer = granting(STAFF);
    using alice = await connected("admin");
    expect((await alice.call("BroadcastAlert", "fire")).error).toBeUndefined();
    expect(receiver.requests).toHaveLength(1);
  });

  it("outlives sleep between negotiating and connecting, and is nobody else's", async () => {
    receiver.answer = granting(STAFF);
    const { connectionId, connectionToken } = await negotiate("admin");
    await evictDurableObject(relayOf("admin", connectionId));
    receiver.answer = answering(403);
    expect((await open("admin", connectionToken, { user: "bob" })).status).toBe(404);
    const response = await open("admin", connectionToken);
    expect(ended(response).status).toBe(101);
    expect((await open("admin", connectionToken)).status).toBe(409);
  });

  it("at SignalR's negotiation holds for all polls and posts, which are not asked about", async () => {
    receiver.answer = granting(STAFF);
    const { connectionToken } = await negotiate("admin");
    const path = `/hubs/admin?id=${encodeURIComponent(connectionToken)}`;
    const post = (body: string) => ask(path, { method: "POST", body: `${body}\u001e` });
    expect((await ask(path)).status).toBe(200);
    await post('{"protocol":"json","version":1}');
    expect(await (await ask(path)).text()).toBe("{}\u001e");
    await post('{"type":1,"invocationId":"1","target":"BroadcastAlert","arguments":["fire"]}');
    let heard = "";
    while (!heard.includes('"type":3')) heard += await (await ask(path)).text();
    expect(heard).not.toContain("error");
    expect((await ask(path, { method: "DELETE" })).status).toBe(202);
    expect(receiver.requests).toHaveLength(1);
  });
});

describe("what relays tell", () => {
  beforeEach(() =>
    set({ WEBHOOK_CONNECT_URL: "", WEBHOOK_URL: receiver.urls.events, WEBHOOK_EVENTS: "" }),
  );

  it("is who connected by SignalR and JSON-RPC, and not who calls by POST", async () => {
    const alice = await connected("notifications");
    using bare = new Client((await ask("/hubs/notifications/rpc", upgrading)).webSocket!);
    const { params } = await bare.said("$/connected");
    await ask("/hubs/notifications/rpc", {
      ...{ method: "POST", headers: { "content-type": "application/json" } },
      body: '{"jsonrpc":"2.0","id":1,"method":"sendToUser","params":["bob","hi"]}',
    });
    alice.socket.close(1000);
    await receiver.until(() => receiver.of("disconnected").length > 0);
    await receiver.until(() => receiver.of("connected").length === 2);
    const told = receiver.of("connected", "disconnected").map(({ type, data }) => [type, data]);
    const signalr = { userId: "alice", connectionId: alice.id, protocol: "signalr-json" };
    const rpc = { userId: "alice", connectionId: params.connectionId, protocol: "json-rpc" };
    expect(told).toHaveLength(3);
    expect(told).toEqual(
      expect.arrayContaining([
        ["dormouse.connected", signalr],
        ["dormouse.connected", rpc],
        ["dormouse.disconnected", signalr],
      ]),
    );
  });

  it("is nothing of a client that never shook hands", async () => {
    const { connectionToken } = await negotiate("prices");
    const response = await open("prices", connectionToken);
    const socket = response.webSocket!;
    socket.accept();
    const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
    socket.close(1000);
    await closed;
    using after = await connected("prices");
    await receiver.until(() => receiver.of("connected").length > 0);
    expect(receiver.of("connected").map(({ data }) => data.connectionId)).toEqual([after.id]);
  });
});
