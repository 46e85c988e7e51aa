// The hubs of src/hubs through the real worker: names on the wire, and the recipients of each call.

import { expect, it, onTestFinished } from "vitest";
import { enter, type Client, type Frame, type Joining } from "../rooms/client.ts";

const entering = async (room: string, joining: Joining = {}) => {
  const client = await enter(room, { claims: { tid: "served" }, ...joining });
  onTestFinished(() => client[Symbol.dispose]());
  return client;
};

const code = async (called: ReturnType<Client["call"]>) => (await called).error?.data.code;

it("notifications reach a group, and a user wherever their sockets are", async () => {
  const alice = await entering("notifications/group:ops", { user: "alice" });
  const bob = await entering("notifications/group:dev", { user: "bob" });
  await bob.call("sendToGroup", ["ops", "disk full"]);
  expect((await alice.said("receiveNotification")).params).toEqual([
    {
      title: "Notification",
      body: "disk full",
      severity: "info",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    },
  ]);
  await alice.call("sendToUser", ["bob", { title: "Hi", body: "you", severity: "success" }]);
  const heard = await bob.said("receiveNotification");
  expect(heard).toMatchObject({ room: "user:bob", params: [{ title: "Hi", severity: "success" }] });
  expect(alice.messages("receiveNotification")).toHaveLength(1);
});

it("an order's status reaches its channel and nobody else, and only staff may say it", async () => {
  const claims = { tid: "served", role: "Manager" };
  const staff = await entering("orders/group:desk", { user: "staff", claims });
  const customer = await entering("orders/order:42", { user: "customer" });
  const follower = await entering("orders/group:lounge", { user: "follower" });
  const other = await entering("orders/order:43", { user: "other" });
  await follower.call("joinOrderGroup", ["42"]);
  expect(await code(customer.call("updateOrderStatus", ["42", "paid"]))).toBe("forbidden");
  await staff.call("updateOrderStatus", ["42", "shipped"]);
  for (const client of [customer, follower])
    expect((await client.said("orderStatusChanged")).params).toEqual(["42", "shipped"]);
  await follower.call("leaveOrderGroup", ["42"]);
  await staff.call("updateOrderStatus", ["42", "lost"]);
  await staff.call("updateOrderStatus", ["43", "barrier"]);
  expect((await other.said("orderStatusChanged")).params).toEqual(["43", "barrier"]);
  await customer.said("orderStatusChanged");
  expect(follower.messages("orderStatusChanged")).toHaveLength(1);
});

it("chat says who comes, what is said, and broadcasts to everybody but the speaker", async () => {
  const alice = await entering("chat/group:lobby", { user: "alice" });
  const bob = await entering("chat/group:kitchen", { user: "bob" });
  await bob.call("joinRoom", ["lobby"]);
  const joined = await alice.next(
    ({ method, params }) => method === "userJoined" && params[0] === "bob",
  );
  expect(joined.params).toEqual(["bob", "lobby"]);
  await bob.call("broadcastExceptSelf", ["hello all"]);
  expect((await alice.said("receiveMessage")).params).toEqual(["bob", "hello all"]);
  await bob.call("sendToRoom", ["lobby", "hello lobby"]);
  expect((await bob.said("receiveMessage")).params).toEqual(["bob", "hello lobby"]);
});

it("presence tells everybody who is online", async () => {
  const alice = await entering("presence/group:a", { user: "alice" });
  const bob = await entering("presence/group:b", { user: "bob" });
  const both = ({ method, params }: Frame) =>
    method === "onlineUsersUpdated" && params[0].length === 2;
  expect((await alice.next(both)).params).toEqual([["alice", "bob"]]);
  expect((await bob.call("getOnlineUsers")).result).toEqual(["alice", "bob"]);
});

it("prices come as a stream until it is cancelled", async () => {
  const alice = await entering("prices/group:floor");
  alice.send({ jsonrpc: "2.0", id: "p", method: "streamPrices", params: ["ACME"] });
  const first = await alice.next(({ method }) => method === "$/item");
  expect(first.params).toEqual({
    id: "p",
    item: { symbol: "ACME", price: expect.any(Number), timestamp: expect.any(String) },
  });
  alice.send({ jsonrpc: "2.0", method: "$/cancelRequest", params: { id: "p" } });
  expect((await alice.response("p")).error!.code).toBe(-32800);
});

it("uploads are summed up", async () => {
  const alice = await entering("uploads/group:lab");
  const item = (value: number) => ({ sensor: "door", value, timestamp: 0 });
  alice.send([
    { jsonrpc: "2.0", id: "u", method: "uploadData", params: [{ $stream: "s" }] },
    ...[1, 2, 6].map((value) => ({
      jsonrpc: "2.0",
      method: "$/item",
      params: { stream: "s", item: item(value) },
    })),
    { jsonrpc: "2.0", method: "$/end", params: { stream: "s" } },
  ]);
  expect((await alice.response("u")).result).toEqual({
    count: 3,
    sensors: ["door"],
    min: 1,
    max: 6,
    mean: 3,
  });
});

it("alerts reach every room of the admin hub, from whom the policy lets speak", async () => {
  const staff = { tid: "served", role: "Admin" };
  const alice = await entering("admin/group:a", {
    user: "alice",
    claims: { ...staff, permissions: ["users.manage"] },
  });
  const bob = await entering("admin/group:b", { user: "bob", claims: staff });
  expect(await code(bob.call("broadcastAlert", ["x"]))).toBe("forbidden");
  expect(await code(alice.call("broadcastAlert", ["fire"]))).toBeUndefined();
  for (const client of [alice, bob])
    expect((await client.said("alertReceived")).params).toEqual(["fire"]);
});
