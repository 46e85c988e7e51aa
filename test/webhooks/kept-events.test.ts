// Events that wait for their receiver, over deploys that change webhooks and over an erasure of their room.

import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EndpointEnv } from "../../src/server.ts";
import { enter, roomAt } from "../rooms/client.ts";
import { Receiver, SECRET } from "./receiver.ts";

let receiver: Receiver;
const set = (changes: Partial<EndpointEnv>) => Object.assign(env, changes);
const KINDS = "connected,disconnected,joined,left,message";
const on = () =>
  set({ WEBHOOK_URL: receiver.urls.events, WEBHOOK_SECRET: SECRET, WEBHOOK_EVENTS: KINDS });
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  receiver = new Receiver();
  on();
  for (const level of ["warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  set({ WEBHOOK_URL: "", WEBHOOK_SECRET: "", WEBHOOK_EVENTS: "" });
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const say = (room: string, word: string) =>
  roomAt(room).publish({ target: "said", params: JSON.stringify([word]) });
const waiting = (room: string) =>
  vi.waitFor(() =>
    runInDurableObject(roomAt(room), (_, { storage }) => {
      if (!storage.kv.get("webhook-retry")) throw new Error("No attempt has failed.");
    }),
  );
const later = async (room: string, seconds: number) => {
  vi.setSystemTime(Date.now() + seconds * 1_000);
  await runDurableObjectAlarm(roomAt(room));
};
const typesIn = (room: string) =>
  receiver.in(room, ...KINDS.split(",")).map(({ type }) => type.split(".")[1]!);

/** A room with a client, whose first events wait. */
async function roomWithEvents(room: string) {
  receiver.answer = () => Promise.reject(new TypeError("connection refused"));
  const client = await enter(room);
  await client.heardFrame(({ method }) => method === "$/presence");
  await waiting(room);
  await evictDurableObject(roomAt(room));
  return client;
}

describe("events that wait", () => {
  it.each<[string, Partial<EndpointEnv>]>([
    ["has no webhook", { WEBHOOK_URL: "", WEBHOOK_SECRET: "" }],
    ["misconfigures it", { WEBHOOK_SECRET: "short" }],
    ["has fewer events", { WEBHOOK_EVENTS: "message" }],
  ])(
    "are sent after a deploy that %s for some minutes, and one that has all again",
    async (what, changes) => {
      const room = `orders/order:${what.replaceAll(" ", "-")}`;
      using client = await roomWithEvents(room);
      set(changes);
      await later(room, 60);
      await say(room, "hello");
      await evictDurableObject(roomAt(room));
      on();
      receiver.answer = () => new Response(null, { status: 204 });
      await later(room, 300);
      await say(room, "again");
      await receiver.until(() => typesIn(room).at(-1) === "message");
      expect(typesIn(room).slice(0, 2).toSorted()).toEqual(["connected", "joined"]);
      expect(new Set(receiver.taken.map(({ id }) => id)).size).toBe(receiver.taken.length);
      expect(client.socket.readyState).toBe(WebSocket.OPEN);
    },
  );

  it("are sent after their room was erased, and so are later ones", async () => {
    const room = "orders/order:erased";
    using client = await roomWithEvents(room);
    await say(room, "hello");
    await roomAt(room).erase();
    await say(room, "again");
    receiver.answer = () => new Response(null, { status: 204 });
    await later(room, 300);
    await receiver.until(() => receiver.in(room, "message").length === 2);
    expect(typesIn(room)).toEqual(expect.arrayContaining(["joined", "connected", "message"]));
    const positions = receiver.in(room, "message").map(({ data }) => data.position.split(":")[0]);
    expect(new Set(positions).size).toBe(2);
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
  });

  it("are those of a tenant: each says its own", async () => {
    const rooms = ["first", "second"].map((tid) =>
      enter("orders/order:shared", { claims: { tid } }),
    );
    const clients = await Promise.all(rooms);
    await receiver.until(() => receiver.of("connected").length === 2);
    const tenants = receiver.of("connected").map(({ tenant, source }) => [tenant, source]);
    expect(tenants.toSorted()).toEqual([
      ["first", "/hubs/orders"],
      ["second", "/hubs/orders"],
    ]);
    for (const client of clients) client[Symbol.dispose]();
  });
});
