// What a service says of a user: tokens taken back, bans, groups with an end; on connections that are open, of every
// protocol and transport, and at every connect.

import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { accountName } from "../../../src/rooms/rpc/object-names.ts";
import { connected, negotiate, open as attach, type SignalR } from "../../rooms/relay/client.ts";
import { enter, token, upgrade, type Client } from "../../rooms/client.ts";
import { ask, ORIGIN, refusal } from "./service.ts";

const open: Disposable[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const client of open.splice(0)) client[Symbol.dispose]();
});

const now = () => Math.floor(Date.now() / 1000);
const accountOf = (user: string) =>
  env.ACCOUNTS.getByName(accountName({ tenant: "default", user }));
const revoke = async (user: string, body?: object) =>
  expect((await ask("POST", `/hubs/chat/users/${user}/:revoke`, body && { body })).status).toBe(
    200,
  );

interface Live {
  /** Done when the server has ended it. */
  readonly ended: Promise<unknown>;
  /** A round trip, or undefined where there is none. */
  alive?(): Promise<unknown>;
}
type Connect = (user: string, claims: Record<string, unknown>) => Promise<Live>;

const socket = (client: Client): Live => ({
  ended: client.closed.then(({ code }) => code),
  alive: () => client.call("$/history"),
});
const signalR = (client: SignalR): Live => ({
  ended: client.record(({ type }) => type === 7),
  alive: () => client.call("WhoAmI"),
});
const kept = <T extends Disposable>(client: T): T => (open.push(client), client);

/** The text of a stream to its end. */
const streamed = async (path: string): Promise<Live> => {
  const headers = { accept: "text/event-stream" };
  const response = await exports.default.fetch(`${ORIGIN}${path}`, { headers });
  if (!response.ok)
    throw new Error(`Refused: ${response.status} ${response.headers.get("x-dormouse-error")}`);
  return { ended: response.text() };
};

const rpc = async (path: string): Promise<Live> => {
  const response = await upgrade(path);
  if (!response.webSocket)
    throw new Error(`Refused: ${response.status} ${response.headers.get("x-dormouse-error")}`);
  const { webSocket } = response;
  webSocket.accept();
  return {
    ended: new Promise((end) => webSocket.addEventListener("close", ({ code }) => end(code))),
  };
};

/** Its own records are none of this test's business. */
const packed = async (user: string, claims: Record<string, unknown>): Promise<Live> => {
  const { connectionToken } = await negotiate("relayed", { user, claims });
  const response = await attach("relayed", connectionToken, { user, claims });
  if (!response.webSocket) throw new Error(`Refused: ${response.status} ${await response.text()}`);
  const { webSocket } = response;
  webSocket.accept();
  const shaken = new Promise((done) => webSocket.addEventListener("message", done, { once: true }));
  const ended = new Promise((end) => webSocket.addEventListener("close", end));
  webSocket.send(`${JSON.stringify({ protocol: "messagepack", version: 1 })}\u001e`);
  await shaken;
  return { ended };
};

/** Over another transport: its handshake is posted. */
const overHttp = async (
  user: string,
  claims: Record<string, unknown>,
  accept: string,
): Promise<Live> => {
  const { connectionToken } = await negotiate("relayed", { user, claims });
  const bearer = await token(user, claims);
  const url = `${ORIGIN}/hubs/relayed?id=${encodeURIComponent(connectionToken)}&access_token=${bearer}`;
  const get = () => exports.default.fetch(url, { headers: { accept } });
  const first = await get();
  if (!first.ok)
    throw new Error(`Refused: ${first.status} ${first.headers.get("x-dormouse-error")}`);
  const body = `${JSON.stringify({ protocol: "json", version: 1 })}\u001e`;
  await (await exports.default.fetch(url, { method: "POST", body })).text();
  if (accept.includes("event-stream")) return { ended: first.text() };
  await first.text();
  const ended = (async () => {
    for (;;) {
      const poll = await get();
      const text = await poll.text();
      if (poll.status !== 200 || text.includes('"type":7')) return poll.status;
    }
  })();
  return { ended };
};

const WAYS: [string, Connect][] = [
  [
    "a room's socket",
    async (user, claims) => socket(kept(await enter("relayed/group:live", { user, claims }))),
  ],
  [
    "a room's stream of events",
    async (user, claims) =>
      streamed(`/hubs/relayed/groups/live?access_token=${await token(user, claims)}`),
  ],
  [
    "a hub's socket in JSON-RPC",
    async (user, claims) => rpc(`/hubs/relayed/rpc?access_token=${await token(user, claims)}`),
  ],
  [
    "SignalR over WebSockets",
    async (user, claims) => signalR(kept(await connected("relayed", { user, claims }))),
  ],
  ["SignalR in MessagePack", packed],
  [
    "SignalR over Server-Sent Events",
    (user, claims) => overHttp(user, claims, "text/event-stream"),
  ],
  ["SignalR over long polling", (user, claims) => overHttp(user, claims, "*/*")],
];

/** How a ban ends them: by its close code, or with its reason. */
const BAN = /^4512$|This user is banned: Rude\./;
/** Those whose last frames this test reads. */
const TOLD = new Set(WAYS.map(([way]) => way).filter((way) => !/MessagePack|polling/.test(way)));

describe.each(WAYS)("%s", (way, connect) => {
  const user = `u-${WAYS.findIndex(([name]) => name === way)}`;

  it("ends with its token, 100 of five users, and one that bears another lives on", async () => {
    const users = [..."abcde"].map((letter) => `${user}${letter}`);
    const bad = users.flatMap((of) =>
      Array.from({ length: 20 }, () => connect(of, { jti: "bad", iat: now() })),
    );
    const good = await connect(users[0]!, { jti: "good", iat: now() });
    const lives = await Promise.all(bad);
    const began = performance.now();
    await Promise.all(users.map((of) => revoke(of, { jti: "bad", expire_at: now() + 3_600 })));
    await Promise.all(lives.map(({ ended }) => ended));
    console.log(`${way}: 100 ended in ${Math.round(performance.now() - began)} ms`);
    await good.alive?.();
    const again = connect(users[0]!, { jti: "bad", iat: now() });
    await expect(again).rejects.toThrow(/401.*token_revoked/s);
    await connect(users[0]!, { jti: "other", iat: now() });
  });

  it("ends where its token was issued before a time, and others of other users live on", async () => {
    const at = now();
    const before = await connect(`${user}b`, { iat: at - 100 });
    const unknown = await connect(`${user}b`, {});
    const after = await connect(`${user}b`, { iat: at - 10 });
    const bystander = await connect(`${user}c`, { iat: at - 100 });
    await revoke(`${user}b`, { issued_before: at - 50 });
    await Promise.all([before.ended, unknown.ended]);
    await Promise.all([after.alive?.(), bystander.alive?.()]);
    await expect(connect(`${user}b`, { iat: at - 51 })).rejects.toThrow(/401.*token_revoked/s);
    await expect(connect(`${user}b`, {})).rejects.toThrow(/401.*token_revoked/s);
    await connect(`${user}b`, { iat: at - 49 });
    await revoke(`${user}b`);
    await after.ended;
    await expect(connect(`${user}b`, { iat: at - 1 })).rejects.toThrow(/401.*token_revoked/s);
  });

  it("ends by a ban, for its time", async () => {
    const live = await connect(`${user}d`, { iat: now() });
    const path = `/hubs/chat/users/${user}d`;
    expect(
      (await ask("POST", `${path}/:ban`, { body: { seconds: 60, reason: "Rude." } })).status,
    ).toBe(204);
    const farewell = await live.ended;
    const shown = TOLD.has(way) ? JSON.stringify(farewell) : "4512";
    expect(shown).toMatch(BAN);
    await expect(connect(`${user}d`, { iat: now() })).rejects.toThrow(/403.*banned/s);
    expect((await ask("POST", `${path}/:unban`)).status).toBe(204);
    await connect(`${user}d`, { iat: now() });
  });
});

it("says so to calls over HTTP, while the relay is awake and after", async () => {
  const bearer = await token("http", { jti: "x", iat: now() });
  const call = async () => {
    const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "whoami", params: [] });
    return refusal(
      await exports.default.fetch(`${ORIGIN}/hubs/relayed/rpc`, { method: "POST", headers, body }),
    );
  };
  expect(await call()).toEqual([200, null]);
  await revoke("http", { jti: "x" });
  expect(await call()).toEqual([401, "token_revoked"]);
  await abortAllDurableObjects();
  expect(await call()).toEqual([401, "token_revoked"]);
});

it("closes a SignalR connection whose client is away, and takes no post with a revoked token", async () => {
  const client = kept(
    await connected("resuming", {
      user: "away",
      claims: { jti: "a", iat: now() },
      version: 2,
      query: "useStatefulReconnect=true",
    }),
  );
  await revoke("away", { jti: "b" });
  const headers = { authorization: `Bearer ${await token("away", { jti: "b", iat: now() })}` };
  const url = `${ORIGIN}/hubs/resuming?id=${encodeURIComponent(client.token)}`;
  const posted = await exports.default.fetch(url, { method: "POST", headers, body: "x\u001e" });
  expect(await refusal(posted)).toEqual([401, "token_revoked"]);
  const resumed = await attach("resuming", client.token, {
    user: "away",
    claims: { jti: "b", iat: now() },
  });
  expect(await refusal(resumed)).toEqual([401, "token_revoked"]);
  await revoke("away", { jti: "a" });
  await client.record(({ type }) => type === 7);
});

describe("an account", () => {
  it("remembers across sleep and crashes, and tells an object it could not reach by alarm", async () => {
    const live = socket(
      kept(await enter("relayed/group:late", { user: "late", claims: { jti: "l", iat: now() } })),
    );
    const account = accountOf("late");
    await runInDurableObject(account, async (_, { storage }) => {
      // As after a crash between the rule and its telling.
      storage.kv.put("user/late/jti l", Date.now() + 60_000);
      storage.kv.put("user/late/changes", 1);
      storage.kv.put("due/late", Date.now());
      await storage.setAlarm(Date.now());
    });
    await evictDurableObject(account);
    expect(await runDurableObjectAlarm(account)).toBe(true);
    expect(await live.ended).toBe(4511);
    await expect(
      enter("relayed/group:late", { user: "late", claims: { jti: "l" } }),
    ).rejects.toThrow("401");
  });

  it("forgets a token when it has ended, and objects that hold nobody", async () => {
    const client = await enter("relayed/group:short", {
      user: "short",
      claims: { jti: "s", iat: now() },
    });
    const account = accountOf("short");
    const keys = () =>
      runInDurableObject(account, (_, { storage }) =>
        [...storage.kv.list({ prefix: "user/short/" })].map(([key]) => key.slice(11)),
      );
    expect(await keys()).toEqual(["object default/relayed/group/short"]);
    await revoke("short", { jti: "s", expire_at: now() });
    expect((await client.closed).code).toBe(4511);
    expect(await keys()).toEqual(["changes", "jti s"]);
    // The leeway is over.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    await runDurableObjectAlarm(account);
    expect(await keys()).toEqual([]);
  });

  it("lets a user begin so many connections and no more, in all rooms together", async () => {
    const headers = { accept: "text/event-stream" };
    const bearer = await token("many");
    const begin = async (room: number) => {
      const url = `${ORIGIN}/hubs/hurried/groups/${room}?access_token=${bearer}`;
      const response = await exports.default.fetch(url, { headers });
      const kind = response.headers.get("x-dormouse-error");
      await response.body?.cancel();
      return kind ?? response.status;
    };
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const outcomes = await Promise.all(Array.from({ length: 8 }, (_, room) => begin(room)));
    expect(outcomes.filter((one) => one === 200)).toHaveLength(5);
    expect(outcomes.filter((one) => one === "rate_limited")).toHaveLength(3);
    vi.setSystemTime(Date.now() + 1_000);
    expect(await begin(9)).toBe(200);
  });

  it("puts users into groups for a time", async () => {
    const before = kept(await connected("relayed", { user: "timed" }));
    const path = "/hubs/relayed/users/timed/groups/club";
    expect((await ask("PUT", `${path}?ttl=60`)).status).toBe(200);
    const after = kept(await connected("relayed", { user: "timed" }));
    const say = (text: string) =>
      ask("POST", "/hubs/relayed/groups/club/:send", {
        body: { target: "said", arguments: [text] },
      });
    await say("in");
    await Promise.all([before.hears("in"), after.hears("in")]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    expect(await runDurableObjectAlarm(accountOf("timed"))).toBe(true);
    expect((await ask("HEAD", path)).status).toBe(404);
    await say("out");
    const end = { target: "said", arguments: ["end"] };
    await ask("POST", "/hubs/relayed/users/timed/:send", { body: end });
    await Promise.all([before.hears("end"), after.hears("end")]);
    expect(after.texts).toEqual(["in", "end"]);
  });

  it("with a ttl of 0 means the connections of now only; without one the newest 100 groups", async () => {
    const before = kept(await connected("relayed", { user: "now" }));
    expect((await ask("PUT", "/hubs/relayed/users/now/groups/only?ttl=0")).status).toBe(200);
    const after = kept(await connected("relayed", { user: "now" }));
    await ask("POST", "/hubs/relayed/groups/only/:send", {
      body: { target: "said", arguments: ["x"] },
    });
    await before.hears("x");
    expect(after.texts).toEqual([]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    for (let group = 0; group < 102; group++) {
      vi.setSystemTime(Date.now() + 1);
      await ask("PUT", `/hubs/relayed/users/collector/groups/g${group}`);
    }
    const statuses = await Promise.all(
      ["g0", "g1", "g2", "g101"].map((group) =>
        ask("HEAD", `/hubs/relayed/users/collector/groups/${group}`),
      ),
    );
    expect(statuses.map(({ status }) => status)).toEqual([404, 404, 200, 200]);
  });
});

it("is not forgotten by an account that heard of an object just before a connection began there", async () => {
  // The object answers a command that it holds nobody, and asks for somebody before the answer is there.
  const account = accountOf("racing");
  for (let round = 0; round < 50; round++) {
    const room = `group:race${round}`;
    const [, client] = await Promise.all([
      ask("POST", `/hubs/relayed/users/racing/:closeConnections?reason=${round}`),
      enter(`relayed/${room}`, { user: "racing" }).catch(() => undefined),
    ]);
    if (!client) continue;
    const known = runInDurableObject(account, (_, { storage }) =>
      storage.kv.get(`user/racing/object default/relayed/group/race${round}`),
    );
    const isOpen = client.call("$/presence").then(() => true);
    const outcome = await Promise.race([isOpen, client.closed.then(() => false)]);
    expect([room, outcome && (await known) === undefined]).toEqual([room, false]);
    client[Symbol.dispose]();
  }
});

it("takes in a user of a hundred groups with the longest names, and gives them all", async () => {
  const names = Array.from({ length: 100 }, (_, index) => `${index}${"ж".repeat(120)}`);
  for (const name of names) {
    const path = `/hubs/relayed/users/popular/groups/${encodeURIComponent(name)}`;
    expect((await ask("PUT", path)).status).toBe(200);
  }
  const client = kept(await connected("relayed", { user: "popular" }));
  const last = encodeURIComponent(names.at(-1)!);
  await ask("POST", `/hubs/relayed/groups/${last}/:send`, {
    body: { target: "said", arguments: ["hi"] },
  });
  await client.hears("hi");
});

it("lets a service take a user out of the room that a socket came for, and does the rest", async () => {
  const client = kept(await enter("relayed/group:own", { user: "homely" }));
  expect((await ask("DELETE", "/hubs/relayed/users/homely/groups/own")).status).toBe(204);
  const body = [
    { type: "LeaveGroup", group: "own" },
    { type: "JoinGroup", group: "other" },
  ];
  const filter = encodeURIComponent("userId eq 'homely'");
  expect((await ask("POST", `/hubs/relayed/:execute?filter=${filter}`, { body })).status).toBe(202);
  await ask("POST", "/hubs/relayed/groups/other/:send", {
    body: { target: "said", arguments: ["x"] },
  });
  expect((await client.said("said")).room).toBe("group:other");
});

it("keeps the keys of two services apart", async () => {
  const say = async (service: string, text: string) => {
    const body = { target: "said", arguments: [text], idempotency_key: "1" };
    const bearer = await token(service, { role: "service" });
    const path = "/hubs/relayed/rooms/group%3Akeys/:publish";
    return (await (await ask("POST", path, { body, token: bearer })).json<{ offset: number }>())
      .offset;
  };
  expect([await say("shop", "x"), await say("billing", "y"), await say("shop", "x")]).toEqual([
    1, 2, 1,
  ]);
});
