// The connect webhook's request; grants, which last as long as their connection; and events of connections at relays.

import { beforeEach, describe, expect, it } from "vitest";
import { heldTimers } from "../support/held-timers.ts";
import { connected, negotiate, open, relayOf, SignalR } from "../rooms/relay/client.ts";
import { Client, roomAt, token, upgrade } from "../rooms/client.ts";
import { evictDurableObject } from "cloudflare:test";
import {
  set,
  logged,
  granting,
  answering,
  STAFF,
  ended,
  ask,
  upgrading,
  receiver,
  inRoom,
  codeOf,
  withConnectWebhook,
} from "./connect-fixture.ts";
import { type Answer } from "./receiver.ts";

withConnectWebhook();

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
    const timers = heldTimers(5_000);
    receiver.answer = (_, signal) =>
      new Promise((__, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason as Error)),
      );
    const response = ask("/hubs/chat/rpc", upgrading);
    await receiver.until(() => receiver.requests.length > 0);
    timers.expire();
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
    ["a channel named by two dots", granting({ channels: ["user:.."] })],
  ])("lets nobody in where the answer is %s, and says so in the log", async (__, answer) => {
    receiver.answer = answer;
    const { status, headers } = await ask("/hubs/chat/rpc", upgrading);
    expect([status, headers.get("x-dormouse-error")]).toEqual([503, "webhook_unavailable"]);
    expect(JSON.parse(logged[0]!)).toMatchObject({
      level: "error",
      event: "connect_webhook_failed",
    });
  });

  it.each([
    ["sub", { sub: "root" }],
    ["roles", { roles: [1] }],
    ["exp", { exp: "soon" }],
  ])("has the name of the claim %s, that it may not set so, in the log", async (claim, claims) => {
    receiver.answer = granting(claims);
    await ask("/hubs/chat/rpc", upgrading);
    expect((JSON.parse(logged[0]!) as { why: string }).why).toContain(`the claim "${claim}"`);
  });
});

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

  it("leaves of the token what the server reads and the answer has as null", async () => {
    const unset = { role: null, roles: null, caps: null, channels: null, limits: null, exp: null };
    receiver.answer = granting({ ...unset, sub: null, tid: null, own: 2 });
    const exp = Math.floor(Date.now() / 1000) + 100;
    const client = await inRoom("admin/group:kept", { ...STAFF, exp });
    expect(codeOf(await client.call("broadcastAlert", ["fire"]))).toBeUndefined();
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

  it("also holds where sleep lets a client use its token twice", async () => {
    receiver.answer = granting({ permissions: [] });
    const seat = await negotiate("admin", { claims: STAFF });
    const relay = () => relayOf("admin", seat.connectionId);
    const matched = async () =>
      (await relay().command({ connection: seat.connectionId }, [])).matched;
    const call = async () => {
      const response = await open("admin", seat.connectionToken, { claims: STAFF });
      const client = new SignalR(response.webSocket!, seat);
      client.say({ protocol: "json", version: 1 });
      await client.shaken;
      const { error } = await client.call("BroadcastAlert", "fire");
      client.socket.close(1000);
      await expect.poll(matched).toBe(0);
      return error;
    };
    expect(await call()).toContain("user is unauthorized");
    await evictDurableObject(relay());
    expect(await call()).toContain("user is unauthorized");
    expect(receiver.requests).toHaveLength(1);
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
