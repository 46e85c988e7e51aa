// Events of rooms and relays, sent by the objects themselves.

import { env } from "cloudflare:workers";
import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EndpointEnv } from "../../src/server.ts";
import type { AccountObjectRpc } from "../../src/rooms/rpc/account-rpc.ts";
import { accountName } from "../../src/rooms/rpc/object-names.ts";
import { enter, roomAt, type Client } from "../rooms/client.ts";
import { range } from "../rooms/storage.ts";
import { Receiver, SECRET } from "./receiver.ts";
import { TOKEN_TEXT } from "../support/token-text.ts";

let receiver: Receiver;
const ALL = "connected,disconnected,joined,left,message";
const set = (changes: Partial<EndpointEnv>) => Object.assign(env, changes);
beforeEach(() => {
  receiver = new Receiver();
  set({ WEBHOOK_URL: receiver.urls.events, WEBHOOK_SECRET: SECRET, WEBHOOK_EVENTS: ALL });
  for (const level of ["warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  set({ WEBHOOK_URL: "", WEBHOOK_SECRET: "", WEBHOOK_EVENTS: "", WEBHOOK_CONNECT_URL: "" });
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const say = (room: string, ...words: unknown[]) =>
  roomAt(room).publish({ target: "said", params: JSON.stringify(words) });
const down = () => {
  receiver.answer = () => Promise.reject(new TypeError("connection refused"));
};
const fine = () => {
  receiver.answer = () => new Response(null, { status: 200 });
};
const tables = (room: string) =>
  runInDurableObject(roomAt(room), (_, { storage: { sql } }) =>
    sql
      .exec("SELECT name FROM sqlite_master WHERE name IN ('webhooks', 'reported')")
      .toArray()
      .map(({ name }) => name),
  );
const rows = (room: string, table: string) =>
  runInDurableObject(roomAt(room), (_, { storage: { sql } }) =>
    sql.exec(`SELECT COUNT(*) AS count FROM ${table}`).one(),
  );
const joined = (client: Client) => client.heardFrame(({ method }) => method === "$/presence");

describe("a receiver", () => {
  it("costs nothing where none is configured: no table, no request", async () => {
    set({ WEBHOOK_URL: "" });
    using client = await enter("orders/order:none");
    await joined(client);
    await say("orders/order:none", "hello");
    expect(await tables("orders/order:none")).toEqual([]);
    expect(receiver.fetched).toEqual([]);
  });

  it("is told who connected, joined, what was said, who disconnected and left", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 9, 1) });
    const alice = await enter("orders/order:told", { user: "alice" });
    const { connectionId } = alice.hello.params;
    await joined(alice);
    const { epoch, offset } = await say("orders/order:told", "hello", { n: [1] });
    alice.socket.close(1000);
    await receiver.until(() => receiver.of("disconnected").length > 0);
    vi.setSystemTime(Date.now() + 6_000);
    await runDurableObjectAlarm(roomAt("orders/order:told"));
    await receiver.until(() => receiver.of("left").length > 0);
    const room = "order:told";
    const about = { userId: "alice", connectionId, room, protocol: "json-rpc" };
    const member = { room, userId: "alice" };
    const message = { room, target: "said", arguments: ["hello", { n: [1] }] };
    expect(receiver.taken.map(({ type, subject, data }) => [type, subject, data])).toEqual([
      ["dormouse.joined", room, member],
      ["dormouse.connected", connectionId, about],
      ["dormouse.message", room, { ...message, position: `${epoch}:${offset}` }],
      ["dormouse.disconnected", connectionId, about],
      ["dormouse.left", room, member],
    ]);
    const [{ id, ...first }] = receiver.taken as [(typeof receiver.taken)[number]];
    expect(first).toEqual({
      ...{ specversion: "1.0", source: "/hubs/orders", type: "dormouse.joined", subject: room },
      ...{ time: "2026-10-01T00:00:00.000Z", tenant: "default", data: member },
      datacontenttype: "application/json",
    });
    expect(new Set(receiver.taken.map((event) => event.id)).size).toBe(5);
    expect(id).toMatch(/^[\w-]{36}$/);
  });

  it("never sees a token", async () => {
    using client = await enter("orders/order:secret", { user: "alice", claims: { own: "x" } });
    await joined(client);
    await receiver.until(() => receiver.of("connected").length > 0);
    const seen = JSON.stringify(receiver.requests);
    expect(seen).not.toMatch(/access_token/);
    expect(seen).not.toMatch(TOKEN_TEXT);
  });

  it("is told of messages only where they are named, and of nothing that is not", async () => {
    set({ WEBHOOK_EVENTS: "" });
    using client = await enter("orders/order:unnamed");
    await joined(client);
    await say("orders/order:unnamed", "hello");
    await receiver.until(() => receiver.of("connected").length > 0);
    expect(receiver.taken.map(({ type }) => type).toSorted()).toEqual([
      "dormouse.connected",
      "dormouse.joined",
    ]);
    expect(await rows("orders/order:unnamed", "webhooks")).toEqual({ count: 0 });
  });

  it("is told why a connection was ended", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const exp = Math.floor(Date.now() / 1000) + 10;
    using client = await enter("orders/order:expired", { claims: { exp } });
    await joined(client);
    vi.setSystemTime(Date.now() + 80_000);
    await runDurableObjectAlarm(roomAt("orders/order:expired"));
    await receiver.until(() => receiver.of("disconnected").length > 0);
    expect(receiver.of("disconnected")[0]!.data.reason).toBe("The token has expired.");
  });

  it.each([
    ["Spam.", "This user is banned: Spam."],
    [undefined, "This user is banned for a time."],
  ])("is told of a ban as a ban, with the reason %s", async (given, reason) => {
    const user = `banned-${given ?? ""}`;
    using client = await enter(`orders/order:${user}`, { user });
    await joined(client);
    const account = env.ACCOUNTS.getByName(accountName({ tenant: "default", user }));
    await (account as unknown as AccountObjectRpc).ban(user, 60, given);
    expect(await client.closed).toEqual({ code: 4512, reason });
    await receiver.until(() => receiver.of("disconnected").length > 0);
    expect(receiver.of("disconnected")[0]!.data.reason).toBe(reason);
  });
});

describe("a room whose receiver is down", () => {
  it("answers, delivers and is called as before, and its events follow in order", async () => {
    const room = "orders/order:down";
    using client = await enter(room);
    await joined(client);
    down();
    const words = range(1, 50);
    for (const word of words) {
      await say(room, word);
      await client.heardFrame(({ params }) => params?.[0] === word);
    }
    expect(receiver.in(room, "message")).toEqual([]);
    fine();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 10_000 });
    await runDurableObjectAlarm(roomAt(room));
    await receiver.until(() => receiver.in(room, "message").length === 50);
    expect(receiver.in(room, "message").map(({ data }) => data.arguments[0])).toEqual(words);
  });

  it("does not wait for one that hangs", async () => {
    const room = "orders/order:hangs";
    const gate = Promise.withResolvers<Response>();
    receiver.answer = () => gate.promise;
    using client = await enter(room);
    for (const word of range(1, 20)) {
      await say(room, word);
      await client.heardFrame(({ params }) => params?.[0] === word);
    }
    expect(receiver.requests).toHaveLength(1);
    fine();
    gate.resolve(new Response("late"));
    await receiver.until(() => receiver.in(room, "message").length === 20);
    expect(receiver.in(room, "message").map(({ data }) => data.arguments[0])).toEqual(range(1, 20));
  });

  it.each([
    ["an eviction", (room: string) => evictDurableObject(roomAt(room))],
    ["a crash", () => abortAllDurableObjects()],
  ])("keeps its events over %s, and sends each once", async (what, end) => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const room = `orders/order:kept over ${what}`;
    down();
    using client = await enter(room);
    await joined(client);
    for (const word of range(1, 5)) {
      await say(room, word);
      await receiver.until(() => receiver.requests.length > 0);
      // The attempt is recorded first, and counts as failed only then.
      await runInDurableObject(roomAt(room), () => scheduler.wait(1));
      await end(room);
    }
    fine();
    vi.setSystemTime(Date.now() + 10_000);
    await runDurableObjectAlarm(roomAt(room));
    await receiver.until(() => receiver.in(room, "message").length === 5);
    expect(receiver.in(room, "message").map(({ data }) => data.arguments[0])).toEqual(range(1, 5));
    expect(new Set(receiver.taken.map(({ id }) => id)).size).toBe(receiver.taken.length);
    expect(await rows(room, "webhooks")).toEqual({ count: 0 });
  });

  it("sleeps between two attempts", async () => {
    const room = "orders/order:sleeps";
    down();
    await say(room, "hello");
    await receiver.until(() => receiver.requests.length === 1);
    await runInDurableObject(roomAt(room), () => scheduler.wait(1));
    await evictDurableObject(roomAt(room));
    // Only a running object can be evicted.
    await expect(evictDurableObject(roomAt(room))).rejects.toThrow(/not .*running/i);
  });

  it("goes on where an event cannot be kept", async () => {
    const room = "orders/order:full";
    using client = await enter(room);
    await joined(client);
    await runInDurableObject(roomAt(room), (_, { storage: { sql } }) => {
      const exec = sql.exec.bind(sql);
      vi.spyOn(sql, "exec").mockImplementation((query: string, ...values: SqlStorageValue[]) => {
        if (query.startsWith("INSERT OR REPLACE INTO webhooks"))
          throw new Error("The disk is full.");
        return exec(query, ...values);
      });
    });
    await say(room, "hello");
    expect(await client.said("said")).toMatchObject({ params: ["hello"] });
  });
});

describe("connections that a crash took", () => {
  it("are told to be over, once, where their clients did not come back", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const room = "orders/order:crashed";
    using client = await enter(room);
    const { connectionId } = client.hello.params;
    await receiver.until(() => receiver.in(room, "connected").length === 1);
    await abortAllDurableObjects();
    for (let i = 0; i < 3; i++) {
      vi.setSystemTime(Date.now() + 130_000);
      await runDurableObjectAlarm(roomAt(room));
    }
    await receiver.until(() => receiver.in(room, "disconnected").length > 0);
    const { subject, data } = receiver.in(room, "disconnected")[0]!;
    expect([subject, data.reason]).toEqual([connectionId, "The server lost the connection."]);
    expect(receiver.in(room, "disconnected")).toHaveLength(1);
    expect(await rows(room, "reported")).toEqual({ count: 0 });
  });

  it("are not those that slept, nor those that closed meanwhile", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const room = "orders/order:asleep";
    using stays = await enter(room, { user: "stays" });
    const goes = await enter(room, { user: "goes" });
    await receiver.until(() => receiver.in(room, "connected").length === 2);
    await evictDurableObject(roomAt(room));
    goes.socket.close(1000);
    await goes.closed;
    await receiver.until(() => receiver.in(room, "disconnected").length === 1);
    vi.setSystemTime(Date.now() + 130_000);
    await runDurableObjectAlarm(roomAt(room));
    await say(room, "end");
    await receiver.until(() => receiver.in(room, "message").length > 0);
    expect(receiver.in(room, "disconnected").map(({ data }) => [data.userId, data.reason])).toEqual(
      [["goes", undefined]],
    );
    expect(stays.socket.readyState).toBe(WebSocket.OPEN);
  });

  it("keep no room that receivers are no longer told of", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const room = "orders/order:untold";
    const client = await enter(room);
    await receiver.until(() => receiver.in(room, "connected").length === 1);
    set({ WEBHOOK_EVENTS: "joined,left" });
    await evictDurableObject(roomAt(room));
    client.socket.close(1000);
    await client.closed;
    vi.setSystemTime(Date.now() + 130_000);
    await runDurableObjectAlarm(roomAt(room));
    expect(await rows(room, "reported")).toEqual({ count: 0 });
    expect(receiver.in(room, "disconnected")).toEqual([]);
  });
});
