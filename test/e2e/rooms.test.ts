// What a user of the endpoint does, with the clients users have: plain PartySockets against the real `wrangler dev`.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../support/endpoint.ts";
import { sharedEndpoint } from "../support/shared-endpoint.ts";
import { enter, eventually, Party, type Frame } from "./client.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const party = (hub: string, room: string, options: ConstructorParameters<typeof Party>[3] = {}) =>
  new Party(endpoint, hub, room, options);

const MANAGER = { role: "Manager" };

const offsetOf = ({ position = "" }: Frame): number => Number(position.split(":")[1]);
const present = ({ params }: Frame): string[] =>
  params.members.map(({ userId }: { userId: string }) => userId);

describe("two PartySockets in one room", () => {
  it("hear each other, with rising positions of one epoch", async () => {
    using alice = party("chat", "group:lobby", { user: "alice" });
    await alice.said("$/connected");
    using bob = party("chat", "group:lobby", { user: "bob" });
    await bob.said("$/connected");
    expect(await alice.result("sendToRoom", ["lobby", "hello bob"])).toBe(null);
    expect(await bob.result("sendToRoom", ["lobby", "hello alice"])).toBe(null);
    for (const one of [alice, bob]) {
      const heard = [await one.said("receiveMessage"), await one.said("receiveMessage")];
      expect(heard.map(({ params }) => params)).toEqual([
        ["alice", "hello bob"],
        ["bob", "hello alice"],
      ]);
      const offsets = one.heard.filter(({ room }) => room === "group:lobby").map(offsetOf);
      expect(offsets).toEqual(offsets.map((_, index) => offsets[0]! + index));
    }
  });

  it("see who is there, who comes and who leaves", async () => {
    using alice = party("chat", "group:hall", { user: "alice" });
    expect(present(await alice.next(hello).then(presentOf))).toEqual(["alice"]);
    const bob = party("chat", "group:hall", { user: "bob" });
    expect(present(await bob.next(hello).then(presentOf))).toEqual(["alice", "bob"]);
    const joined = await alice.next((frame) => joins(frame).includes("bob"));
    expect(joined.params).toMatchObject({ users: 2, connections: 2, left: [] });
    expect((await alice.next(calls("userJoined", "bob"))).params).toEqual(["bob", "hall"]);
    bob.party.close();
    const left = await alice.next((frame) => leaves(frame).includes("bob"));
    expect(left.params).toMatchObject({ users: 1, connections: 1, joined: [] });
    expect((await alice.next(calls("userLeft", "bob"))).params).toEqual(["bob", "hall"]);
    expect(present({ params: await alice.result("$/presence", {}) })).toEqual(["alice"]);
  });

  it("resume by position after one dies: no loss, no repetition, no leave", async () => {
    const seen: { last?: string | undefined } = {};
    using alice = party("chat", "group:den", { user: "alice", since: () => seen.last });
    using bob = party("chat", "group:den", { user: "bob" });
    await Promise.all([alice.said("$/connected"), bob.said("$/connected")]);
    await bob.result("sendToRoom", ["den", "before"]);
    seen.last = (await alice.said("receiveMessage")).position;
    const died = new Promise((resolve) => alice.party.addEventListener("close", resolve));
    alice.inner!.terminate();
    await died;
    for (const word of ["one", "two", "three"]) await bob.result("sendToRoom", ["den", word]);
    const back = await alice.said("$/connected");
    expect(back.params).toMatchObject({ recovered: true, userId: "alice" });
    await bob.result("sendToRoom", ["den", "after"]);
    await alice.next(({ params }) => params?.[1] === "after");
    const heard = alice.messages("receiveMessage").map(({ params }) => params[1]);
    expect(heard).toEqual(["before", "one", "two", "three", "after"]);
    expect(bob.heard.flatMap(leaves)).toEqual([]);
  });

  it("answer their heartbeats", async () => {
    using alice = await enter(endpoint, "chat/group:lobby");
    alice.send('{"type":6}\u001e');
    await alice.until(() => alice.pongs > 0, "the pong");
    expect(alice.pongs).toBe(1);
  });
});

describe("orders", () => {
  it("say an order's status to its channel and to nobody else", async () => {
    using customer = party("orders", "order:42", { user: "carol" });
    using other = party("orders", "order:43", { user: "oscar" });
    using follower = party("orders", "group:dashboard", { user: "dave" });
    using manager = party("orders", "group:office", { user: "mary", claims: MANAGER });
    const all = [customer, other, follower, manager];
    await Promise.all(all.map((one) => one.said("$/connected")));
    await follower.result("joinOrderGroup", ["42"]);
    await manager.result("updateOrderStatus", ["42", "shipped"]);
    for (const one of [customer, follower]) {
      const heard = await one.said("orderStatusChanged");
      expect(heard).toMatchObject({ params: ["42", "shipped"], room: "order:42" });
    }
    await manager.result("updateOrderStatus", ["43", "packed"]);
    expect((await other.said("orderStatusChanged")).params).toEqual(["43", "packed"]);
    expect(other.messages("orderStatusChanged")).toHaveLength(1);
    expect(manager.messages("orderStatusChanged")).toEqual([]);
  });

  it("refuse a status by a customer, to everybody's silence", async () => {
    using customer = party("orders", "order:44", { user: "carol" });
    const { error } = await customer.call("updateOrderStatus", ["44", "mine"]);
    expect(error).toMatchObject({ code: -32001, data: { code: "forbidden" } });
    expect(customer.messages("orderStatusChanged")).toEqual([]);
  });
});

describe("notifications", () => {
  it("reach every socket of a user, in whatever room, and nobody else's", async () => {
    using phone = party("notifications", "user:alice", { user: "alice" });
    using laptop = party("notifications", "group:team", { user: "alice" });
    using bob = party("notifications", "group:team", { user: "bob" });
    await Promise.all([phone, laptop, bob].map((one) => one.said("$/connected")));
    await eventually(async () => {
      const { connections } = (await phone.result("$/presence", {})) as { connections: number };
      return connections === 2;
    }, "the laptop's object follows the user's room");
    await bob.result("sendToUser", ["alice", { title: "Hi", body: "there", severity: "success" }]);
    for (const one of [phone, laptop]) {
      const heard = await one.said("receiveNotification");
      expect(heard.room).toBe("user:alice");
      expect(heard.params[0]).toMatchObject({ title: "Hi", body: "there", severity: "success" });
    }
    expect(bob.messages("receiveNotification")).toEqual([]);
  });

  it("refuse another user's room", async () => {
    await expect(enter(endpoint, "notifications/user:alice", { user: "bob" })).rejects.toThrow(
      "403",
    );
  });
});

describe("presence", () => {
  it("tells everybody who is online, and when a user's last connection has gone", async () => {
    using alice = party("presence", "group:a", { user: "alice" });
    await alice.next(online("alice"));
    using bob1 = party("presence", "group:b", { user: "bob" });
    const bob2 = party("presence", "group:c", { user: "bob" });
    await Promise.all([bob1.said("$/connected"), bob2.said("$/connected")]);
    await alice.next(online("alice", "bob"));
    expect(await alice.result("getOnlineUsers")).toEqual(["alice", "bob"]);
    bob2.party.close();
    bob1.party.close();
    expect((await alice.said("userLeft")).params).toEqual(["bob"]);
    await alice.next(online("alice"));
  });
});

describe("streams", () => {
  it("send a price a second until they are cancelled", async () => {
    using alice = party("prices", "group:market");
    const call = alice.call("streamPrices", ["ACME"]);
    const items = [await alice.said("$/item"), await alice.said("$/item")];
    for (const { params } of items) expect(params.item).toMatchObject({ symbol: "ACME" });
    alice.send({ jsonrpc: "2.0", method: "$/cancelRequest", params: { id: items[0]!.params.id } });
    expect((await call).error).toMatchObject({ code: -32800 });
  });

  it("are uploaded and summed up", async () => {
    using alice = party("uploads", "group:lab");
    const call = alice.call("uploadData", [{ $stream: "s1" }]);
    for (const value of [1, 2, 6])
      alice.send({
        jsonrpc: "2.0",
        method: "$/item",
        params: { stream: "s1", item: { sensor: "t", value, timestamp: 0 } },
      });
    alice.send({ jsonrpc: "2.0", method: "$/end", params: { stream: "s1" } });
    expect((await call).result).toEqual({ count: 3, sensors: ["t"], min: 1, max: 6, mean: 3 });
  });
});

describe("admin", () => {
  const ADMIN = { role: "Admin", permissions: "users.manage" };

  it("alerts everybody in the hub, whatever room they are in", async () => {
    using admin = party("admin", "group:staff", { user: "ada", claims: ADMIN });
    using manager = party("admin", "group:floor", { user: "mary", claims: MANAGER });
    await Promise.all([admin.said("$/connected"), manager.said("$/connected")]);
    await eventually(async () => {
      await admin.result("broadcastAlert", ["drill"]);
      return [admin, manager].every((one) => one.messages("alertReceived").length > 0);
    }, "both objects follow the hub's room");
    await admin.result("broadcastAlert", ["fire"]);
    for (const one of [admin, manager]) {
      const heard = await one.next(({ params }) => params?.[0] === "fire");
      expect(heard).toMatchObject({ method: "alertReceived", room: "all" });
    }
  });

  it("needs the permission for an alert, and the role for the room", async () => {
    using manager = party("admin", "group:staff", { user: "mary", claims: MANAGER });
    const { error } = await manager.call("broadcastAlert", ["fire"]);
    expect(error).toMatchObject({ code: -32001, data: { code: "forbidden" } });
    await expect(enter(endpoint, "admin/group:staff", { user: "carol" })).rejects.toThrow("403");
  });
});

const hello = ({ method }: Frame): boolean => method === "$/connected";
const presentOf = ({ params }: Frame): Frame => ({ params: params.present });
const namesIn =
  (change: "joined" | "left") =>
  ({ method, params }: Frame): string[] =>
    method === "$/presence"
      ? params[change].map((one: string | { userId: string }) =>
          typeof one === "string" ? one : one.userId,
        )
      : [];
const joins = namesIn("joined");
const leaves = namesIn("left");
const calls =
  (wanted: string, user: string) =>
  ({ method, params }: Frame): boolean =>
    method === wanted && params[0] === user;
const online =
  (...users: string[]) =>
  ({ method, params }: Frame): boolean =>
    method === "onlineUsersUpdated" && JSON.stringify(params) === JSON.stringify([users]);
