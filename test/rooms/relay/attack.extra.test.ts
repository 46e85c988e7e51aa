// Attacks on relays that succeeded once, each for the reason above it.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { enter, token, upgrade } from "../client.ts";
import { failOnce, rowsOf } from "../replaced.ts";
import { late, lose, presentIn, rowsAt, slow, stateful } from "./attacking.ts";
import { connected, negotiate, open, relayNamed, relayOf, SignalR } from "./client.ts";
import { postRefresh } from "./members.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a connection that may be resumed", () => {
  // The socket is found gone at a wake: `away` is only in memory then, so each wake begins the time anew.
  it("ends in time also where the relay slept when its socket broke, and sleeps again", async () => {
    const alice = await connected("resuming", stateful);
    const relay = relayOf("resuming", alice.id);
    await evictDurableObject(relay, { webSockets: "close" });
    await rowsAt("resuming", alice.id, "resumables"); // Wakes it: the client is away from now on.
    const now = Date.now();
    for (const seconds of [31, 62, 93]) {
      await evictDurableObject(relay);
      vi.setSystemTime(now + seconds * 1000);
      await runDurableObjectAlarm(relay);
    }
    expect(await rowsAt("resuming", alice.id, "resumables")).toEqual([]);
  });

  // After a wake all rows count as written, also those that waited for the window.
  it("gets all after the relay slept while its window was full", async () => {
    using alice = await connected("resuming", stateful);
    using bob = await connected("resuming", { user: "bob" });
    await alice.call("Join", "window");
    const text = "x".repeat(30_000);
    for (let i = 0; i < 6; i++) await bob.call("Say", "window", `${i} ${text}`);
    await alice.record((one) => String(one.arguments?.[0]).startsWith("2 "));
    const relay = relayOf("resuming", alice.id);
    await evictDurableObject(relay);
    const counted = () => alice.heard.filter(({ type }) => type <= 5).length;
    for (let acks = 0; acks < 6 && alice.texts.length < 6; acks++) {
      alice.say({ type: 8, sequenceId: counted() });
      await scheduler.wait(100);
    }
    expect(alice.texts.map((one) => String(one)[0])).toEqual(["0", "1", "2", "3", "4", "5"]);
  });

  // `resumed` accepts the new socket and lets the old one go before it knows that the new token fits the attachment.
  it("is not left without a socket by a token that does not fit beside it", async () => {
    const query = `${stateful.query}&note=${"x".repeat(3_800)}`;
    const alice = await connected("resuming", { ...stateful, query });
    await alice.call("Keep", "much", "x".repeat(3_900));
    await lose(alice, "resuming");
    const channels = Array.from({ length: 24 }, (_, n) => `group:${n}`.padEnd(225, "x"));
    const exp = Math.floor(Date.now() / 1000) + 7_200;
    const big = { claims: { exp, caps: [{ channels, match: "wildcard", allow: ["sub"] }] } };
    const fresh = await token("alice", big.claims);
    expect((await postRefresh("resuming", alice.token, fresh)).status).toBe(413);
    const response = await open("resuming", alice.token, big);
    expect(response.status).toBe(413);
    const now = Date.now();
    vi.setSystemTime(now + 31_000);
    await runDurableObjectAlarm(relayOf("resuming", alice.id));
    expect(await rowsAt("resuming", alice.id, "resumables")).toEqual([]);
  });
});

describe("a client that names itself", () => {
  const phone = { query: "client=phone" };

  // Remembered rooms include those that only the old token named.
  it("is not put back into channels that its new token does not name", async () => {
    const claims = { channels: ["group:vip"] };
    const alice = await connected("remembering", { user: "carol", claims, ...phone });
    using bob = await connected("remembering", { user: "bob" });
    await bob.call("Say", "vip", "1");
    await alice.hears("1");
    await lose(alice, "remembering");
    using again = await connected("remembering", { user: "carol", ...phone });
    await bob.call("Say", "vip", "secret");
    await bob.call("SayAll", "end");
    await again.hears("end");
    await scheduler.wait(200);
    expect(again.texts).not.toContain("secret");
  });

  // `backIntoGroups` waits for rooms without end, and the handshake's answer waits for it.
  it("is greeted in time where a group of its hangs", async () => {
    const alice = await connected("remembering", { user: "dora", ...phone });
    await alice.call("Join", "hangs");
    await alice.call("Join", "well");
    await lose(alice, "remembering");
    await expect.poll(async () => (await presentIn("remembering/group:hangs")).connections).toBe(0);
    const { letGo } = await slow("remembering/group:hangs", "follow");
    const again = connected("remembering", { user: "dora", ...phone });
    const how = await Promise.race([again.then(() => "greeted"), late(6_000)]);
    letGo();
    await again;
    expect(how).toBe("greeted");
  });

  // `catchUp` takes the membership back where the room cannot be told, and what was remembered is forgotten already.
  it("is in its groups again also where a room fails for a moment", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const alice = await connected("remembering", { user: "emil", ...phone });
    using bob = await connected("remembering", { user: "bob" });
    await alice.call("Join", "shaky");
    await lose(alice, "remembering");
    await expect.poll(async () => (await presentIn("remembering/group:shaky")).connections).toBe(0);
    await failOnce("remembering/group:shaky", "follow", "undone");
    using again = await connected("remembering", { user: "emil", ...phone });
    vi.setSystemTime(Date.now() + 6_000);
    await runDurableObjectAlarm(relayOf("remembering", again.id));
    await bob.call("Say", "shaky", "hello");
    expect(await Promise.race([again.hears("hello").then(() => "heard"), late(2_000)])).toBe(
      "heard",
    );
  });

  // A wake knows no `held`: what its groups said stands before the handshake's answer then.
  it("hears the handshake's answer first, also where the relay slept before the handshake", async () => {
    const alice = await connected("remembering", { user: "fay", ...phone });
    using bob = await connected("remembering", { user: "bob" });
    await alice.call("Join", "first");
    await bob.call("Say", "first", "1");
    await alice.hears("1");
    await lose(alice, "remembering");
    await bob.call("Say", "first", "2");
    const joining = { user: "fay", ...phone };
    const { connectionToken, connectionId } = await negotiate("remembering", joining);
    const { webSocket } = await open("remembering", connectionToken, joining);
    const frames: string[] = [];
    webSocket!.addEventListener("message", ({ data }) => frames.push(data as string));
    webSocket!.accept();
    await evictDurableObject(relayOf("remembering", connectionId));
    const { letGo } = await slow("remembering/user:fay", "follow");
    webSocket!.send('{"protocol":"json","version":1}\u001e');
    await expect.poll(() => frames.length, { timeout: 5_000 }).toBeGreaterThan(0);
    letGo();
    expect(frames[0]!.startsWith("{}\u001e")).toBe(true);
    webSocket!.close(1000);
  });

  // `welcome` and `catchUp` do not ask whether the connection is still there.
  it("leaves no ghost where it left while its groups were fetched from another level", async () => {
    const of = "remembering-five";
    const fill = [await connected(of, { user: "f1" }), await connected(of, { user: "f2" })];
    const state = { held: false, free: false };
    await runInDurableObject(relayNamed(of, "any.0.0"), (instance) => {
      const proto = Object.getPrototypeOf(instance);
      const real = proto.recall.bind(instance);
      const layer = Object.create(proto);
      layer.recall = async (...args: unknown[]) => {
        state.held = true;
        while (!state.free) await scheduler.wait(10);
        return real(...args);
      };
      Object.setPrototypeOf(instance, layer);
    });
    const joining = { user: "zoe", query: "client=p" };
    const { connectionToken, connectionId } = await negotiate(of, joining);
    expect(connectionId).not.toContain("any.0.0");
    const { webSocket } = await open(of, connectionToken, joining);
    webSocket!.accept();
    webSocket!.send('{"protocol":"json","version":1}\u001e');
    await expect.poll(() => state.held).toBe(true);
    webSocket!.close(1000);
    await scheduler.wait(200);
    state.free = true;
    await scheduler.wait(700);
    expect((await presentIn(`${of}/user:zoe`)).connections).toBe(0);
    for (const one of fill) one[Symbol.dispose]();
  });

  // `replaceOld` looks at this relay only: the groups stay with the old connection until it is found silent.
  it("takes the place of its half-open connection, wherever that lives", async () => {
    const of = "remembering-five";
    const claims = { tid: "of-its-own" };
    const fill = [
      await connected(of, { user: "t1", claims }),
      await connected(of, { user: "t2", claims }),
    ];
    const joining = { user: "twice", claims, query: "client=p" };
    const up = await connected(of, joining);
    await up.call("Join", "mine");
    for (const one of fill) {
      one.say({ type: 7 });
      await one.closed;
    }
    await scheduler.wait(2_300);
    const down = await connected(of, joining);
    expect(down.id).toContain("any.0.0");
    const how = await Promise.race([
      up.closed.then(() => "closed"),
      scheduler.wait(1_000).then(() => "open"),
    ]);
    expect(how).toBe("closed");
    for (const one of [...fill, down, up]) one[Symbol.dispose]();
  });
});

describe("a room that is full", () => {
  // `enterRoom` waits for the room, and then puts a connection that has gone into it; nobody takes that back.
  it("has no ghost of a socket that left while it was let in", async () => {
    const room = "full/group:ghosts";
    for (let i = 0; i < 3; i++) {
      const one = await enter(room, { user: `user-${i}` });
      onTestFinished(() => one[Symbol.dispose]());
    }
    const { held, letGo } = await slow(room, "missed");
    const query = new URLSearchParams({ access_token: await token("ghost") });
    const { webSocket } = await upgrade(`/parties/${room}?${query}`);
    webSocket!.accept();
    await held();
    webSocket!.close(1000);
    await scheduler.wait(200);
    letGo();
    await scheduler.wait(1_000);
    const members = (await presentIn(room)).members.map(({ userId }) => userId);
    expect(members).toEqual(["user-0", "user-1", "user-2"]);
    expect(await rowsOf("full/user:ghost", "followers")).toEqual([]);
  });

  // `host.leave` asks whether the object is the room, not whether the connection came for it.
  it("is not left by a connection that came for it, wherever it lives", async () => {
    const room = "full/group:stay";
    const clients = [];
    for (let i = 0; i < 4; i++) clients.push(await enter(room, { user: `user-${i}` }));
    const [first, last] = [clients[0]!, clients[3]!];
    expect(last.hello.params.connectionId).toContain("@relay:");
    const refused = (await first.call("leave", ["stay"])).error?.data.code;
    expect((await last.call("leave", ["stay"])).error?.data.code).toBe(refused);
    for (const client of clients) client[Symbol.dispose]();
  });
});

describe("what a connection keeps", () => {
  // One character that is not Latin-1 makes V8 write the whole text with two bytes a character.
  it("has the same room in every alphabet", async () => {
    const joining = { query: `note=${"x".repeat(3_800)}`, claims: { about: "x".repeat(2_000) } };
    using alice = await connected("relayed", joining);
    const error = async (value: string) => (await alice.call("Keep", "name", value)).error;
    expect(await error("x".repeat(3_900))).toBeUndefined();
    expect(await error(`${"x".repeat(3_890)}\u0141`)).toBeUndefined();
  });

  // `SECRET` in connect-request.ts names tokens only.
  async function headersWithCookie(hub: string): Promise<Record<string, string>> {
    const { connectionToken } = await negotiate(hub);
    const q = new URLSearchParams({ id: connectionToken, access_token: await token("alice") });
    const { webSocket } = await exports.default.fetch(`https://edge.example/hubs/${hub}?${q}`, {
      headers: { upgrade: "websocket", cookie: "session=secret", authorization: "Basic eA==" },
    });
    using client = new SignalR(webSocket!, { connectionId: "", connectionToken });
    client.say({ protocol: "json", version: 1 });
    await client.shaken;
    return (await client.call("Asked")).result.headers;
  }

  it("leaves out cookies: they are secrets like tokens", async () => {
    expect(Object.keys(await headersWithCookie("relayed"))).not.toContain("cookie");
  });

  it("has cookies where the hub asks for them, and still no other credentials", async () => {
    const headers = await headersWithCookie("baked");
    expect(headers["cookie"]).toBe("session=secret");
    expect(headers).not.toHaveProperty("authorization");
  });
});
