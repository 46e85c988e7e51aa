// `POST {hub}/refresh` of SignalR: its answers, and who may not ask.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { attachedOf } from "../../../src/rooms/connection/attachment.ts";
import { roomAt, token } from "../client.ts";
import { connected, negotiate, open, post, relayOf, SignalR } from "./client.ts";
import { postRefresh, postRefreshWithHeader } from "./members.ts";

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const say = (hub: string, room: string, word: string) =>
  roomAt(`${hub}/${room}`).publish({ target: "said", params: JSON.stringify([word]) });
const lifetime = (seconds: number) =>
  expect.toSatisfy((value: number) => value > seconds - 10 && value <= seconds);
const loseSocket = (hub: string, id: string) =>
  runInDurableObject(relayOf(hub, id), (relay, state) => {
    const socket = state.getWebSockets().find((one) => attachedOf(one)?.id === id)!;
    (relay as unknown as DurableObject).webSocketClose!(socket, 1006, "", false);
  });

describe("a refresh", () => {
  it("says how long the new token lives, as negotiation did of the first", async () => {
    const first = await negotiate("relayed", { claims: { exp: inSeconds(100) } });
    expect(first).toHaveProperty("tokenLifetimeSeconds", lifetime(100));
    using alice = await connected("relayed");
    const fresh = await token("alice", { exp: inSeconds(500) });
    expect(await postRefresh("relayed", alice.token, fresh)).toEqual({
      status: 200,
      body: { tokenLifetimeSeconds: lifetime(500) },
    });
  });

  it("names the rooms that it ends, and keeps groups that hub code joined", async () => {
    using alice = await connected("closed", { claims: { channels: ["group:f1"] } });
    await alice.call("Join", "f2");
    const { body } = await postRefresh("closed", alice.token, await token("alice"));
    expect(body).toEqual({ tokenLifetimeSeconds: lifetime(3600), dropped: ["group:f1"] });
    await say("closed", "group:f1", "gone");
    await say("closed", "group:f2", "kept");
    await alice.hears("kept");
    expect(alice.texts).toEqual(["kept"]);
  });

  it("gives new roles to the calls that follow, and ends who the hub is no longer for", async () => {
    const admin = { role: "Admin", permissions: ["users.manage"] };
    using alice = await connected("admin", { claims: { role: "Admin" } });
    expect((await alice.call("BroadcastAlert", "x")).error).toContain("unauthorized");
    await postRefresh("admin", alice.token, await token("alice", admin));
    expect((await alice.call("BroadcastAlert", "x")).error).toBeUndefined();
    expect(await postRefresh("admin", alice.token, await token("alice"))).toMatchObject({
      status: 403,
      body: { error: "permission_change_rejected", code: "forbidden" },
    });
    expect(await alice.record(({ type }) => type === 7)).toEqual({
      type: 7,
      error: "Connection closed with an error.",
    });
  });

  it("reaches a client that is away, and one that comes back with its older token keeps the newer", async () => {
    const stateful = { query: "useStatefulReconnect=true", version: 2 };
    const channels = ["group:w1"];
    const old = { channels, iat: inSeconds(-100) };
    const alice = await connected("resuming", { ...stateful, claims: old });
    await loseSocket("resuming", alice.id);
    const fresh = { iat: inSeconds(-50), limits: { callsPerSecond: 1, callBurst: 1 } };
    const { body } = await postRefresh("resuming", alice.token, await token("alice", fresh));
    // The hub's own policy lets every user in.
    expect(body).not.toHaveProperty("dropped");
    const response = await open("resuming", alice.token, { claims: old });
    using again = new SignalR(
      response.webSocket!,
      { connectionId: alice.id, connectionToken: alice.token },
      true,
    );
    await again.record(({ type }) => type === 9);
    again.say({ type: 9, sequenceId: 1 });
    expect((await again.call("Whoami")).error).toBeUndefined();
    expect((await again.call("Whoami")).error).toContain("1 calls a second are allowed");
    await say("resuming", "group:w1", "still");
    await again.hears("still");
  });

  it("lets a connection outlive its first token, with nothing delivered after the last", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    try {
      using alice = await connected("relayed", { claims: { exp: inSeconds(10) } });
      await postRefresh("relayed", alice.token, await token("alice", { exp: inSeconds(100) }));
      const relay = relayOf("relayed", alice.id);
      vi.setSystemTime(Date.now() + 71_000);
      await runDurableObjectAlarm(relay);
      expect((await alice.call("Whoami")).error).toBeUndefined();
      vi.setSystemTime(Date.now() + 90_000);
      await runDurableObjectAlarm(relay);
      expect(await alice.record(({ type }) => type === 7)).toEqual({
        type: 7,
        allowReconnect: true,
      });
      expect((await postRefresh("relayed", alice.token, await token("alice"))).status).toBe(404);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a refresh with the connection token in a header", () => {
  it("is one, also where a query names another connection", async () => {
    using alice = await connected("relayed");
    const refreshed = { status: 200, body: { tokenLifetimeSeconds: lifetime(500) } };
    for (const query of ["", "?id=another"]) {
      const fresh = await token("alice", { exp: inSeconds(500) });
      expect(await postRefreshWithHeader("relayed", alice.token, fresh, query)).toEqual(refreshed);
    }
  });

  it("is refused in the same words", async () => {
    using alice = await connected("relayed");
    const fresh = await token("alice");
    const refused = (status: number, error: string) => ({ status, body: { error } });
    expect(await postRefreshWithHeader("relayed", "", fresh)).toEqual(
      refused(400, "missing_connection_token"),
    );
    expect(await postRefreshWithHeader("relayed", alice.id, fresh)).toEqual(
      refused(404, "connection_not_found"),
    );
    expect(await postRefreshWithHeader("relayed", alice.token, "nonsense")).toMatchObject(
      refused(401, "invalid_token"),
    );
  });
});

describe("a token that comes by another way", () => {
  it("with a poll, is one where it is newer: it is judged as any other", async () => {
    const channels = ["group:y1"];
    const before = { channels, iat: inSeconds(-100) };
    const { connectionToken } = await negotiate("closed", { claims: before });
    const url = `https://edge.example/hubs/closed?id=${encodeURIComponent(connectionToken)}`;
    const ask = async (claims: object, body?: string) => {
      const headers = { authorization: `Bearer ${await token("alice", { ...claims })}` };
      const method = body === undefined ? "GET" : "POST";
      return exports.default.fetch(url, { method, headers, ...(body && { body }) });
    };
    await ask(before);
    await ask(before, '{"protocol":"json","version":1}\u001e');
    await ask(before);
    const room: RoomRpc = roomAt("closed/group:y1");
    const members = async () => (await room.presence({})).connections;
    await expect.poll(members).toBe(1);
    const hanging = ask({ iat: inSeconds(-50) });
    await expect.poll(members).toBe(0);
    const older = ask(before);
    expect((await hanging).status).toBe(204);
    await postRefresh("closed", connectionToken, await token("alice", { channels: ["group:y2"] }));
    await say("closed", "group:y2", "heard");
    expect(await (await older).text()).toContain("heard");
    expect(await members()).toBe(0);
  });

  it("with a return, is one also where the connection has made all calls that it may make", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    onTestFinished(() => void vi.useRealTimers());
    const stateful = { query: "useStatefulReconnect=true", version: 2 };
    const limits = { callsPerSecond: 1, callBurst: 1 };
    const claims = { iat: inSeconds(-100), limits };
    const alice = await connected("resuming", { ...stateful, claims });
    await alice.call("Whoami");
    await loseSocket("resuming", alice.id);
    const newer = { claims: { iat: inSeconds(-50) } };
    const { webSocket } = await open("resuming", alice.token, newer);
    const names = { connectionId: alice.id, connectionToken: alice.token };
    using again = new SignalR(webSocket!, names, true);
    await again.record(({ type }) => type === 9);
    again.say({ type: 9, sequenceId: 2 });
    const callTwice = async () => {
      vi.setSystemTime(Date.now() + 1_000);
      return [(await again.call("Whoami")).error, (await again.call("Whoami")).error];
    };
    await expect.poll(callTwice).toEqual([undefined, undefined]);
  });

  it("with a new connection, gives back what hub code joined, and nothing that it does not name", async () => {
    const phone = { query: "client=phone" };
    const claims = { channels: ["group:z1", "group:z2"] };
    const alice = await connected("remembering", { ...phone, claims });
    for (const name of ["z2", "z3"]) await alice.call("Join", name);
    await say("remembering", "group:z3", "first");
    await alice.hears("first");
    await loseSocket("remembering", alice.id);
    using again = await connected("remembering", phone);
    for (const name of ["z1", "z2", "z3"]) await say("remembering", `group:${name}`, name);
    await Promise.all([again.hears("z2"), again.hears("z3")]);
    expect(again.texts.toSorted()).toEqual(["z2", "z3"]);
  });
});

describe("is refused", () => {
  const refused = (status: number, error: string) => ({ status, body: { error } });
  const unknown = refused(404, "connection_not_found");

  it("with the token of another user or tenant, for whom there is no such connection", async () => {
    using alice = await connected("relayed");
    for (const fresh of [await token("bob"), await token("alice", { tid: "acme" })])
      expect(await postRefresh("relayed", alice.token, fresh)).toEqual(unknown);
    expect((await alice.call("Whoami")).result.userId).toBe("alice");
  });

  it("with a token that has expired, is none, or has a wrong claim", async () => {
    using alice = await connected("relayed");
    const expired = await token("alice", { exp: inSeconds(-61) });
    const odd = await token("alice", { limits: { messageBytes: -1 } });
    for (const fresh of [expired, odd, "nonsense"])
      expect(await postRefresh("relayed", alice.token, fresh)).toMatchObject(
        refused(401, "invalid_token"),
      );
  });

  it.each([
    "",
    "nonsense",
    "x".repeat(5_000),
    "AAAAAAAAAAAAAAAAAAAAAA_mf0000_AAAAAAAAAAAAAAAAAAAAAA@relay:any.0.0",
  ])("for the id %j", async (id) => {
    const expected = id === "" ? refused(400, "missing_connection_token") : unknown;
    expect(await postRefresh("relayed", id, await token("alice"))).toEqual(expected);
  });

  it("by the public id, before the handshake, of another hub, and of negotiate's version 0", async () => {
    const fresh = await token("alice");
    using alice = await connected("relayed");
    expect(await postRefresh("relayed", alice.id, fresh)).toEqual(unknown);
    expect(await postRefresh("closed", alice.token, fresh)).toEqual(unknown);
    const { connectionToken } = await negotiate("relayed");
    expect(await postRefresh("relayed", connectionToken, fresh)).toEqual(unknown);
    const response = await post("/hubs/relayed/negotiate?negotiateVersion=0");
    const { connectionId, ...rest } = await response.json<{ connectionId: string }>();
    expect(rest).not.toHaveProperty("tokenLifetimeSeconds");
    const { webSocket } = await open("relayed", connectionId);
    using simple = new SignalR(webSocket!, { connectionId, connectionToken: connectionId });
    simple.say({ protocol: "json", version: 1 });
    await simple.shaken;
    expect(await postRefresh("relayed", connectionId, fresh)).toEqual(
      refused(400, "unsupported_negotiate_version"),
    );
  });

  it("by every verb but POST; and a page of another origin may not ask", async () => {
    using alice = await connected("relayed");
    for (const method of ["GET", "PUT", "DELETE"])
      expect((await postRefresh("relayed", alice.token, await token("alice"), method)).status).toBe(
        405,
      );
    const response = await exports.default.fetch(
      `https://edge.example/hubs/relayed/refresh?id=${encodeURIComponent(alice.token)}`,
      {
        method: "POST",
        headers: {
          origin: "https://evil.example",
          authorization: `Bearer ${await token("alice")}`,
        },
      },
    );
    expect([response.status, await response.json()]).toMatchObject([
      403,
      { error: "forbidden_origin", code: "forbidden_origin", message: expect.any(String) },
    ]);
  });

  it("that come more often than calls may, and is not looked at", async () => {
    const claims = { limits: { callsPerSecond: 1, callBurst: 2 } };
    using alice = await connected("relayed", { claims });
    const fresh = await token("alice", claims);
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => postRefresh("relayed", alice.token, fresh)),
    );
    const limited = answers.filter(({ status }) => status === 429);
    // Two at once, and one for each second that the test takes.
    expect(limited.length).toBeGreaterThan(5);
    expect(limited[0]!.body).toEqual({ error: "rate_limited" });
    expect(answers.map(({ status }) => status)).toContain(200);
  });

  it("a hundred refreshes at once: the connection lives, and has one of the tokens", async () => {
    using alice = await connected("closed", { claims: { channels: ["group:m0"] } });
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, n) =>
        postRefresh("closed", alice.token, await token("alice", { channels: [`group:m${n}`] })),
      ),
    );
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    const last = await token("alice", { channels: ["group:last"] });
    const { body } = await postRefresh("closed", alice.token, last);
    expect(body.dropped).toHaveLength(1);
    await say("closed", body.dropped[0], "dropped");
    await say("closed", "group:last", "last");
    await alice.hears("last");
    expect(alice.texts).toEqual(["last"]);
  });
});
