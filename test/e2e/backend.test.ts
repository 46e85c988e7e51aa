// A service against the real `wrangler dev`: what it says and who hears it, what it does to rooms, users and
// connections, and what it is refused.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { OrderService } from "../../demo/order-service.ts";
import { backend, type Backend, type BackendOptions } from "../../src/client/backend/index.ts";
import { connect, type HubConnection } from "../../src/client/index.ts";
import type { AnyHub, Hub } from "../../src/dispatch/define/hub-definition.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import type { OrderHub } from "../../src/hubs/orders.ts";
import type { Endpoint } from "../support/endpoint.ts";
import { startTestEngine } from "../support/engine.ts";
import { eventually } from "./client.ts";

/** What of support/signalr-hubs.ts is met here. */
type AskingHub = Hub<
  { said(text: string): void; confirm(question: string): Promise<boolean> },
  Record<never, never>
>;

const KEY = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";

let endpoint: Endpoint;
beforeAll(
  async () =>
    void (endpoint = await startTestEngine({
      vars: { ACCESS_KEYS: KEY },
    })),
);
afterAll(() => endpoint[Symbol.asyncDispose]());

const service = <H extends AnyHub>(hub: string, options: Partial<BackendOptions> = {}) =>
  backend<H>({ url: `${endpoint.url}/hubs/${hub}`, accessKey: KEY, ...options } as BackendOptions);

/** A client of a whole hub, who has heard hello. */
async function enter<H extends AnyHub>(hub: string, user: string): Promise<Entered<H>> {
  const connection = connect<H>(`${endpoint.url}/hubs/${hub}`, {
    token: () => endpoint.token(user),
    backoff: { baseMs: 20, capMs: 100 },
  });
  onTestFinished(() => connection.close());
  const { connectionId } = await connection.ready;
  return { connection, connectionId };
}

interface Entered<H extends AnyHub> {
  readonly connection: HubConnection<H>;
  readonly connectionId: string;
}

/** A client that writes down the orders' statuses, and where each was said. */
async function follower(user: string) {
  const { connection, connectionId } = await enter<OrderHub>("orders", user);
  const heard: string[] = [];
  connection.onMessage(({ method, params, room }) => {
    if (!method.startsWith("$/")) heard.push(`${room}: ${params.join()}`);
  });
  return { connection, connectionId, heard };
}

/** All there is, once it is this many. */
async function all(heard: readonly string[], count: number): Promise<readonly string[]> {
  await eventually(async () => heard.length >= count, `${count} are heard`);
  return heard;
}

const isGone = async (hub: Backend<OrderHub>, id: string) => !(await hub.connection(id).exists());

describe("the order service", () => {
  it("tells the order's room and the buyer, and nobody twice", async () => {
    const [alice, bob] = [await follower("alice"), await follower("bob")];
    await alice.connection.join("order:42");
    const orders = new OrderService(
      { setStatus: async (id, status) => ({ buyer: "bob", change: `${id}/${status}` }) },
      service<OrderHub>("orders"),
    );
    await orders.updateOrderStatus("42", "packed");
    await orders.updateOrderStatus("42", "packed");
    await orders.updateOrderStatus("42", "sent");
    expect(await all(alice.heard, 2)).toEqual(["order:42: 42,packed", "order:42: 42,sent"]);
    expect(await all(bob.heard, 2)).toEqual(["user:bob: 42,packed", "user:bob: 42,sent"]);
  });
});

describe("a service", () => {
  it("shows a key, a connection string or a token of a service, and is refused with another", async () => {
    const tell = (hub: Backend<OrderHub>) => hub.clients.order("1").orderStatusChanged("1", "new");
    await tell(service("orders"));
    const connectionString = `Endpoint=${endpoint.url};AccessKey=${KEY};Version=1.0;`;
    await tell(backend({ connectionString, hub: "orders" }));
    const url = `${endpoint.url}/hubs/orders`;
    await tell(backend({ url, token: () => endpoint.token("s", { role: "service" }) }));
    await expect(tell(service("orders", { accessKey: KEY.toLowerCase() }))).rejects.toMatchObject({
      name: "HubError",
      code: expect.stringMatching(/^token_/),
    });
    await expect(tell(backend({ url, token: () => endpoint.token("bob") }))).rejects.toMatchObject({
      code: "forbidden",
    });
    await expect(tell(service("nothing"))).rejects.toMatchObject({ code: "hub_not_found" });
  });

  it("tells all, several rooms, and all but some", async () => {
    const [alice, bob] = [await follower("al"), await follower("bo")];
    await alice.connection.join("order:8");
    const { clients } = service<OrderHub>("orders");
    await clients.all.orderStatusChanged("8", "one");
    await clients.order("8", "9").orderStatusChanged("8", "two");
    await clients.except(alice.connectionId).all.orderStatusChanged("8", "three");
    await clients.user("al", "bo").orderStatusChanged("8", "four");
    const texts = (heard: string[]) => heard.map((text) => text.split(",")[1]);
    await eventually(async () => alice.heard.length + bob.heard.length === 6, "all is heard");
    expect(texts(alice.heard).toSorted()).toEqual(["four", "one", "two"]);
    expect(texts(bob.heard).toSorted()).toEqual(["four", "one", "three"]);
  });

  it("asks one client, and tells one", async () => {
    const { connection, connectionId } = await enter<AskingHub>("signalr", "alice");
    const heard: string[] = [];
    connection.on("said", (text) => heard.push(text));
    connection.on("confirm", (question) => question === "sure?");
    const one = service<AskingHub>("signalr").clients.connection(connectionId);
    expect(await one.invoke.confirm("sure?")).toBe(true);
    expect(await one.invoke.confirm("really?")).toBe(false);
    await one.send.said("hello");
    expect(await all(heard, 1)).toEqual(["hello"]);
  });

  it("moves connections into rooms and out of them", async () => {
    const alice = await follower("alice");
    const orders = service<OrderHub>("orders");
    expect(await orders.group("vip").add(alice.connectionId)).toBe(true);
    await orders.clients.group("vip").orderStatusChanged("1", "in");
    expect(await all(alice.heard, 1)).toEqual(["group:vip: 1,in"]);
    expect(await orders.group("vip").connections()[Symbol.asyncIterator]().next()).toMatchObject({
      value: { connectionId: alice.connectionId },
    });
    expect(await orders.group("vip").remove(alice.connectionId)).toBe(true);
    expect(await orders.group("vip").add("nobody")).toBe(false);
    await orders.group("vip").addUser("alice");
    await orders.clients.group("vip").orderStatusChanged("1", "again");
    expect(await all(alice.heard, 2)).toEqual(["group:vip: 1,in", "group:vip: 1,again"]);
  });

  it("reads what was said, and who is there; and erases it", async () => {
    const alice = await follower("alice");
    await alice.connection.join("order:7");
    const orders = service<OrderHub>("orders");
    const first = await orders.publish("order:7", "orderStatusChanged", ["7", "one"]);
    const second = await orders.publish("order:7", "orderStatusChanged", ["7", "two"]);
    const { messages, position } = await orders.order("7").history({ since: first });
    expect(messages).toEqual([
      {
        ...{ method: "orderStatusChanged", params: ["7", "two"], position: second },
        at: expect.any(Number),
      },
    ]);
    expect(position.split(":")[0]).toBe(second.split(":")[0]);
    expect(await orders.order("7").presence.count()).toEqual({ users: 1, connections: 1 });
    const { members } = await orders.order("7").presence.list();
    expect(members.map(({ userId }) => userId)).toEqual(["alice"]);
    const rooms = async () => {
      const found: string[] = [];
      for await (const { room } of orders.rooms({ prefix: "order:" })) found.push(room);
      return found;
    };
    // The index is a little late.
    await eventually(async () => (await rooms()).includes("order:7"), "the room is listed");
    expect(await rooms()).not.toContain("group:vip");
    expect((await orders.order("7").erase()).split(":")[0]).not.toBe(second.split(":")[0]);
    await expect(orders.order("7").history({ since: first })).rejects.toMatchObject({
      code: "history_gone",
    });
  });

  it("ends connections, one, a user's, or a room's", async () => {
    const orders = service<OrderHub>("orders");
    const [one, two] = [await follower("carl"), await follower("dora")];
    expect(await orders.connection(one.connectionId).exists()).toBe(true);
    expect(await orders.user("dora").isConnected()).toBe(true);
    await orders.connection(one.connectionId).disconnect({ reason: "enough" });
    await eventually(() => isGone(orders, one.connectionId), "carl's connection is gone");
    await orders.user("dora").disconnect();
    await eventually(() => isGone(orders, two.connectionId), "dora's connection is gone");
    const three = await follower("emil");
    await three.connection.join("order:5");
    await orders.order("5").close({ reason: "cancelled" });
    await eventually(() => isGone(orders, three.connectionId), "emil's connection is gone");
    expect(await orders.connection("nobody").exists()).toBe(false);
  });

  it("bans a user, and lets the user in again", async () => {
    const { user } = service<ChatHub>("chat");
    await enter<ChatHub>("chat", "mallory");
    await user("mallory").ban({ seconds: 60, reason: "spam" });
    await eventually(async () => !(await user("mallory").isConnected()), "mallory is out");
    const refused = connect<ChatHub>(`${endpoint.url}/hubs/chat`, {
      token: () => endpoint.token("mallory"),
      maxRetries: 0,
    });
    await expect(refused.ready).rejects.toMatchObject({ name: "HubError" });
    await user("mallory").unban();
    await enter<ChatHub>("chat", "mallory");
  });

  it("revokes what was issued before", async () => {
    const { user } = service<ChatHub>("chat");
    await enter<ChatHub>("chat", "olga");
    await user("olga").revoke({ issuedBefore: new Date(Date.now() + 5_000) });
    await eventually(async () => !(await user("olga").isConnected()), "olga is out");
    expect(await user("olga").isConnected()).toBe(false);
  });

  it("sends SignalR's own client to the endpoint, from a negotiate of its own", async () => {
    const orders = service<OrderHub>("orders");
    const server = createServer((_request, response) => {
      response.setHeader("content-type", "application/json");
      orders.negotiate({ userId: "frida", ttlMinutes: 5 }).then(
        (answer) => response.end(JSON.stringify(answer)),
        () => response.writeHead(500).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const connection = new HubConnectionBuilder()
      .withUrl(`http://127.0.0.1:${port}/hubs/orders`)
      .configureLogging(LogLevel.None)
      .build();
    onTestFinished(() => connection.stop());
    const heard: string[] = [];
    connection.on("orderStatusChanged", (...said: string[]) => heard.push(said.join()));
    await connection.start();
    await orders.clients.user("frida").orderStatusChanged("1", "sent");
    expect(await all(heard, 1)).toEqual(["1,sent"]);
  });
});
