// Our own client, as an application has it, against the real `wrangler dev`: typed calls of the sample hubs, and what
// becomes of a connection whose server dies.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Connection, type ConnectOptions } from "../../src/client/index.ts";
import type { AnyHub } from "../../src/dispatch/define/hub-definition.ts";
import type { AdminHub } from "../../src/hubs/admin.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import type { OrderHub } from "../../src/hubs/orders.ts";
import type { PriceHub } from "../../src/hubs/prices.ts";
import type { UploadHub } from "../../src/hubs/uploads.ts";
import { startEngine } from "../support/engine.ts";
import type { OwnEndpoint } from "../support/endpoint.ts";
import { eventually } from "./client.ts";

let endpoint: OwnEndpoint;
beforeAll(async () => void (endpoint = await startEngine()));
afterAll(() => endpoint[Symbol.asyncDispose]());

/** Enters, as a browser or a service would, and has heard hello. */
async function enter<H extends AnyHub>(
  hub: string,
  room: ConnectOptions<H>["room"],
  { user = "alice", claims = {}, ...options }: Entering<H> = {},
): Promise<Connection<H>> {
  const connection = connect<H>(`${endpoint.url}/hubs/${hub}`, {
    room,
    token: () => endpoint.token(user, claims),
    backoff: { baseMs: 50, capMs: 500 },
    ...options,
  });
  await connection.ready;
  return connection;
}

type Entering<H extends AnyHub> = Partial<ConnectOptions<H>> & {
  readonly user?: string;
  readonly claims?: Record<string, unknown>;
};

const texts = (said: [string, string][]) => said.map(([, text]) => text);

describe("calls", () => {
  it("reach a chat, and everybody in the room hears them in order", async () => {
    const heard: [string, string][] = [];
    const receiveMessage = (...said: [string, string]) => heard.push(said);
    await using alice = await enter<ChatHub>("chat", "group:lobby");
    await using bob = await enter<ChatHub>("chat", "group:lobby", {
      user: "bob",
      handlers: { receiveMessage },
    });
    await alice.invoke.sendToRoom("lobby", "one");
    alice.send.sendToRoom("lobby", "two");
    await bob.invoke.sendToRoom("lobby", "three");
    await eventually(async () => heard.length === 3, "bob heard three");
    expect(heard).toEqual([
      ["alice", "one"],
      ["alice", "two"],
      ["bob", "three"],
    ]);
  });

  it("are refused with the code that the hub gave", async () => {
    await using alice = await enter<OrderHub>("orders", "order:42");
    await expect(alice.invoke.updateOrderStatus("42", "mine")).rejects.toMatchObject({
      name: "HubError",
      code: "forbidden",
    });
    await expect(alice.invoke.joinOrderGroup("")).rejects.toMatchObject({
      code: "invalid_arguments",
    });
  });

  it("of staff change an order, and its customer hears it", async () => {
    await using carol = await enter<OrderHub>("orders", "order:42", { user: "carol" });
    const status = new Promise((resolve) =>
      carol.on("orderStatusChanged", (...order) => resolve(order)),
    );
    await using mary = await enter<OrderHub>("orders", "group:office", {
      user: "mary",
      claims: { role: "Manager" },
    });
    await mary.invoke.updateOrderStatus("42", "shipped");
    expect(await status).toEqual(["42", "shipped"]);
  });

  it("reach rooms whose names need encoding", async () => {
    const name = "50 % of / ? # é 漢";
    await using alice = await enter<ChatHub>("chat", `group:${name}`);
    const heard = new Promise((resolve) => alice.onMessage(resolve));
    await alice.invoke.sendToRoom(name, "here");
    await heard;
    expect(await alice.ready).toMatchObject({ room: `group:${name}` });
  });

  it("made before the connection stands go out when it does", async () => {
    const connection = connect<ChatHub>(`${endpoint.url}/hubs/chat`, {
      room: "group:early",
      token: () => endpoint.token("alice"),
    });
    await using alice = connection;
    await alice.invoke.sendToRoom("early", "bird");
    const { messages } = await alice.history();
    expect(messages.map(({ params }) => params)).toContainEqual(["alice", "bird"]);
  });

  it("of a client that may not enter end, and its state says why", async () => {
    const errors: unknown[] = [];
    const connection = connect<AdminHub>(`${endpoint.url}/hubs/admin`, {
      room: "group:staff",
      token: () => endpoint.token("carol"),
    });
    connection.onError((error) => errors.push(error));
    const forbidden = { code: "forbidden", status: 403, action: expect.any(String) };
    await expect(connection.ready).rejects.toMatchObject(forbidden);
    expect(errors).toMatchObject([forbidden]);
    expect(connection.state).toMatchObject({ status: "closed", error: forbidden });
  });
});

describe("streams", () => {
  it("give prices until they are broken off, and the server stops", async () => {
    await using alice = await enter<PriceHub>("prices", "group:market");
    const prices: string[] = [];
    for await (const { symbol, price } of alice.stream.streamPrices("ACME")) {
      prices.push(`${symbol} ${typeof price}`);
      if (prices.length === 2) break;
    }
    expect(prices).toEqual(["ACME number", "ACME number"]);
    // 20 streams may be open: if those broken off were not stopped, the rest would be refused.
    for (let i = 0; i < 25; i += 1)
      for await (const { symbol } of alice.stream.streamPrices(`S${i}`)) {
        expect(symbol).toBe(`S${i}`);
        break;
      }
  });

  it("end by a signal with its code", async () => {
    await using alice = await enter<PriceHub>("prices", "group:market");
    const controller = new AbortController();
    const { stream } = alice.with({ signal: controller.signal });
    const reading = (async () => {
      for await (const { symbol } of stream.streamPrices("ACME")) controller.abort(symbol);
    })();
    await expect(reading).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("uploads", () => {
  it.each([3, 5_000])("of %i readings are summed up, however fast they come", async (count) => {
    await using alice = await enter<UploadHub>("uploads", "group:lab");
    async function* readings() {
      for (let value = 1; value <= count; value += 1)
        yield { sensor: `s${value % 3}`, value, timestamp: 0 };
    }
    expect(await alice.invoke.uploadData(readings())).toMatchObject({
      count,
      sensors: ["s1", "s2", "s0"],
      min: 1,
      max: count,
    });
  });

  it("take a ReadableStream, and stop reading it when the hub has failed", async () => {
    await using alice = await enter<UploadHub>("uploads", "group:lab");
    let cancelled = false;
    const readings = new ReadableStream({
      pull: (controller) => controller.enqueue({ sensor: 1, value: "no number" }),
      cancel: () => void (cancelled = true),
    });
    await expect(alice.invoke.uploadData(readings)).rejects.toMatchObject({
      code: "invalid_item",
    });
    await eventually(async () => cancelled, "the source was told");
  });
});

describe("presence", () => {
  it("is a live view of who is there and what they show", async () => {
    await using alice = await enter<ChatHub>("chat", "group:hall");
    const users = () => [...alice.presence.members.keys()].toSorted();
    await eventually(async () => users().length === 1, "alice sees herself");
    const bob = await enter<ChatHub>("chat", "group:hall", { user: "bob" });
    expect([...bob.presence.members.keys()]).toEqual(["alice", "bob"]);
    await eventually(async () => users().length === 2, "alice sees bob");
    await bob.track({ typing: true });
    await eventually(
      async () => JSON.stringify(alice.presence.members.get("bob")?.state) === '{"typing":true}',
      "alice sees bob typing",
    );
    expect(await alice.presencePage({ limit: 1 })).toMatchObject({
      users: 2,
      members: [{ userId: "alice", connections: 1 }],
      more: true,
    });
    bob.close();
    await eventually(async () => users().length === 1, "alice sees bob leave");
    expect(alice.presence).toMatchObject({ users: 1, connections: 1, more: false });
  });
});

describe("a token", () => {
  it("is renewed on the connection, by the application or by itself", async () => {
    await using alice = await enter<ChatHub>("chat", "group:renewal");
    const { expiresAt } = await alice.refresh(await endpoint.token("alice", {}, 7_200));
    expect(expiresAt).toBeGreaterThan(Date.now() + 7_000_000);
    await expect(alice.refresh(await endpoint.token("mallory"))).rejects.toMatchObject({
      code: "forbidden",
    });
    expect((await alice.refresh()).expiresAt).toBeLessThan(Date.now() + 3_700_000);
  });
});

describe("a connection whose server is killed", () => {
  it("resumes where it stood, asks for a fresh token, and misses and repeats nothing", async () => {
    const said: [string, string][] = [];
    const tokens: string[] = [];
    const happened: string[] = [];
    await using alice = await enter<ChatHub>("chat", "group:den", {
      handlers: { receiveMessage: (...one) => said.push(one) },
      token: async () => {
        tokens.push(await endpoint.token("alice", { n: tokens.length }));
        return tokens.at(-1)!;
      },
    });
    alice.onRecovered(() => happened.push("recovered"));
    alice.onReload(() => happened.push("reload"));
    alice.onState(({ status }) => happened.push(status));
    await using bob = await enter<ChatHub>("chat", "group:den", { user: "bob" });
    for (const text of ["1", "2", "3"]) await bob.invoke.sendToRoom("den", text);
    await endpoint.restart();
    const { invoke } = bob.with({ idempotencyKey: "the fourth" });
    await invoke.sendToRoom("den", "4");
    await eventually(async () => said.length >= 4, "alice heard four");
    expect(texts(said)).toEqual(["1", "2", "3", "4"]);
    const steps = happened.filter((step, i) => step !== happened[i - 1]);
    expect(steps).toEqual(["reconnecting", "connected", "recovered"]);
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(tokens.length).toBeGreaterThan(1);
  });

  it("repeats a call under its key, and rejects one without: the room hears the first once", async () => {
    await using alice = await enter<ChatHub>("chat", "group:keys");
    const outcomes = Promise.allSettled([
      alice.with({ idempotencyKey: "k1" }).invoke.sendToRoom("keys", "keyed"),
      alice.invoke.sendToRoom("keys", "bare"),
    ]);
    await endpoint.kill();
    await endpoint.restart();
    const [keyed, bare] = await outcomes;
    expect(keyed).toMatchObject({ status: "fulfilled" });
    // Its answer may have come before the kill.
    const outcome = bare.status === "fulfilled" ? "answered" : bare.reason.code;
    expect(["answered", "interrupted"]).toContain(outcome);
    const { messages } = await alice.history();
    const heard = messages.filter(({ params }) => params[1] === "keyed");
    expect(heard).toHaveLength(1);
  });

  it("is told to reload when it comes back too late for what it missed", async () => {
    const reloads: string[] = [];
    await using bob = await enter<ChatHub>("chat", "group:late", { user: "bob" });
    const { position } = await bob.ready;
    for (let i = 0; i < 110; i += 1) {
      if (i % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 1_000));
      await bob.invoke.sendToRoom("late", `${i}`);
    }
    const heard: unknown[] = [];
    const late = connect<ChatHub>(`${endpoint.url}/hubs/chat`, {
      room: "group:late",
      token: () => endpoint.token("alice"),
      since: position,
      handlers: { receiveMessage: (...said) => heard.push(said) },
    });
    await using alice = late;
    alice.onReload(({ room }) => reloads.push(room));
    await alice.ready;
    await bob.invoke.sendToRoom("late", "and now");
    await eventually(async () => heard.length > 0, "alice hears what is said now");
    expect(reloads).toEqual(["group:late"]);
    expect(heard).toEqual([["bob", "and now"]]);
  });
});
