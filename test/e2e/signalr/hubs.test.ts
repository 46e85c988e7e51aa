// Every hub, as stock clients of SignalR use it, over every transport and protocol.

import { Subject } from "@microsoft/signalr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../../support/endpoint.ts";
import { sharedEndpoint } from "../../support/shared-endpoint.ts";
import { fill, ROWS, visit, type Visitor } from "./connections.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const TIMESTAMP = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe.concurrent.each(ROWS)("$name", (row) => {
  /** A record as its protocol has it: MessagePack names members in PascalCase, as .NET does. */
  const record = (members: Record<string, unknown>): Record<string, unknown> =>
    row.protocol === "JSON"
      ? members
      : Object.fromEntries(
          Object.entries(members).map(([key, value]) => [
            key.charAt(0).toUpperCase() + key.slice(1),
            value,
          ]),
        );

  /** Each row is a tenant of its own, so that nobody meets whom another row has left behind. */
  const enter = (hub: string, user: string, { claims, ...more }: Visitor = {}) =>
    visit(
      { endpoint, row, hub },
      { user, claims: { tid: row.name.replaceAll(" ", "-"), ...claims }, ...more },
    );

  it("notifies a group, whose members their tokens name", async ({ expect }) => {
    const hears = ["ReceiveNotification"];
    await using alice = await enter("notifications", "alice", { hears });
    const claims = { channels: ["group:team"] };
    await using bob = await enter("notifications", "bob", { hears, claims });
    await alice.invoke("SendToGroup", "team", "lunch");
    await alice.invoke("SendToGroup", "team", { title: "Disk", body: "full", severity: "error" });
    expect([await bob.next("ReceiveNotification"), await bob.next("ReceiveNotification")]).toEqual([
      [record({ title: "Notification", body: "lunch", severity: "info", timestamp: TIMESTAMP })],
      [record({ title: "Disk", body: "full", severity: "error", timestamp: TIMESTAMP })],
    ]);
    expect(alice.heard).toEqual([]);
  });

  it("notifies a user on all connections", async ({ expect }) => {
    const hears = ["ReceiveNotification"];
    await using alice = await enter("notifications", "alice");
    await using one = await enter("notifications", "carol", { hears });
    await using two = await enter("notifications", "carol", { hears });
    await alice.invoke("SendToUser", "carol", "hello");
    for (const { next } of [one, two].map((carol) => ({ next: carol.next("ReceiveNotification") })))
      expect(await next).toEqual([
        record({ title: "Notification", body: "hello", severity: "info", timestamp: TIMESTAMP }),
      ]);
  });

  it("chats in rooms: joins, says, is told who comes and goes", async ({ expect }) => {
    const hears = ["ReceiveMessage", "UserJoined", "UserLeft"];
    await using alice = await enter("chat", "alice", { hears });
    await using bob = await enter("chat", "bob", { hears });
    await alice.invoke("JoinRoom", "lobby");
    expect(await alice.next("UserJoined")).toEqual(["alice", "lobby"]);
    expect(await bob.invoke("JoinRoom", "lobby")).toBeNull();
    expect(await alice.next("UserJoined")).toEqual(["bob", "lobby"]);
    await bob.invoke("SendToRoom", "lobby", "hi");
    for (const one of [alice, bob]) expect(await one.next("ReceiveMessage")).toEqual(["bob", "hi"]);
    await bob.invoke("LeaveRoom", "lobby");
    expect(await alice.next("UserLeft")).toEqual(["bob", "lobby"]);
    await alice.invoke("SendToRoom", "lobby", "alone");
    expect(await alice.next("ReceiveMessage")).toEqual(["alice", "alone"]);
    // What is said to everybody later shows that nothing of before is still on its way.
    await alice.invoke("BroadcastExceptSelf", "bye");
    expect(await bob.next("ReceiveMessage")).toEqual(["alice", "bye"]);
    expect(alice.heard.filter(([target]) => target === "ReceiveMessage")).toEqual([
      ["ReceiveMessage", "bob", "hi"],
      ["ReceiveMessage", "alice", "alone"],
    ]);
  });

  it("finds methods in any case, and sends without waiting", async ({ expect }) => {
    await using alice = await enter("chat", "alice", { hears: ["ReceiveMessage"] });
    await alice.invoke("joinroom", "whim");
    await alice.connection.send("sendToRoom", "whim", "hi");
    // What was said to everybody just before she came may reach her, too.
    const heard = () => alice.heard.filter(([target]) => target === "ReceiveMessage");
    await expect.poll(heard).toContainEqual(["ReceiveMessage", "alice", "hi"]);
  });

  it("tells of orders those who follow them, by whom has the role", async ({ expect }) => {
    const hears = ["OrderStatusChanged"];
    await using customer = await enter("orders", "carol", { hears });
    await using manager = await enter("orders", "mia", { claims: { role: "Manager" } });
    await customer.invoke("JoinOrderGroup", "A-1");
    await manager.invoke("UpdateOrderStatus", "A-1", "shipped");
    expect(await customer.next("OrderStatusChanged")).toEqual(["A-1", "shipped"]);
    expect(await customer.fails("UpdateOrderStatus", "A-1", "stolen")).toBe(
      "Failed to invoke 'UpdateOrderStatus' because user is unauthorized",
    );
    await customer.invoke("LeaveOrderGroup", "A-1");
    await manager.invoke("UpdateOrderStatus", "A-1", "delivered");
    await customer.invoke("JoinOrderGroup", "A-1");
    await manager.invoke("UpdateOrderStatus", "A-1", "returned");
    expect(await customer.next("OrderStatusChanged")).toEqual(["A-1", "returned"]);
  });

  it("shows who is online, and tells when that changes", async ({ expect }) => {
    const hears = ["OnlineUsersUpdated", "UserLeft"];
    await using alice = await enter("presence", "alice", { hears });
    await alice.next("OnlineUsersUpdated", (users) => isList(users, ["alice"]));
    const bob = await enter("presence", "bob", { hears });
    await alice.next("OnlineUsersUpdated", (users) => isList(users, ["alice", "bob"]));
    expect(await bob.invoke("GetOnlineUsers")).toEqual(["alice", "bob"]);
    await bob[Symbol.asyncDispose]();
    expect(await alice.next("UserLeft")).toEqual(["bob"]);
    await alice.next("OnlineUsersUpdated", (users) => isList(users, ["alice"]));
    expect(await alice.invoke("GetOnlineUsers")).toEqual(["alice"]);
  });

  it("streams prices until they are disposed of", async ({ expect }) => {
    await using alice = await enter("prices", "alice");
    const price = record({
      ...{ symbol: "ACME", price: expect.any(Number), timestamp: TIMESTAMP },
    });
    expect(await alice.first(2, "StreamPrices", "ACME")).toEqual([price, price]);
    // Twenty may be open at once: those that were disposed of are over.
    for (let i = 0; i < 25; i++)
      expect(await alice.first(1, "StreamPrices", "ACME")).toEqual([price]);
  });

  it("takes readings as a stream and sums them up", async ({ expect }) => {
    await using alice = await enter("uploads", "alice");
    const subject = new Subject<object>();
    const summary = alice.invoke("UploadData", subject);
    const timestamp = new Date(0).toISOString();
    fill(subject, [
      { sensor: "a", value: 1, timestamp },
      { sensor: "b", value: 3, timestamp },
      { sensor: "a", value: 5, timestamp },
    ]);
    const whole = { count: 3, sensors: ["a", "b"], min: 1, max: 5, mean: 3 };
    expect(await summary).toEqual(record(whole));
  });

  it("lets staff in to the admin hub, and only those alert who may", async ({ expect }) => {
    const hears = ["AlertReceived"];
    const permissions = { permissions: "users.manage" };
    await using admin = await enter("admin", "ada", {
      hears,
      claims: { role: "Admin", ...permissions },
    });
    await using manager = await enter("admin", "mia", { hears, claims: { role: "Manager" } });
    await admin.invoke("BroadcastAlert", "fire");
    for (const one of [admin, manager]) expect(await one.next("AlertReceived")).toEqual(["fire"]);
    expect(await manager.fails("BroadcastAlert", "false")).toBe(
      "Failed to invoke 'BroadcastAlert' because user is unauthorized",
    );
    await expect(enter("admin", "eve")).rejects.toThrow(REFUSED);
  });
});

/** Browsers and ws tell nobody why an upgrade was refused. */
const REFUSED = /Status code '403'|^WebSocket failed to connect/;

const isList = (value: unknown, expected: readonly string[]): boolean =>
  JSON.stringify(value) === JSON.stringify(expected);
