// hubContext: a hub for code of the same worker.

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { ChatHub } from "../../../src/hubs/chat.ts";
import { OrderHub } from "../../../src/hubs/orders.ts";
import { hubContext, type EndpointEnv } from "../../../src/server.ts";
import { enter } from "../../rooms/client.ts";
import { connected } from "../../rooms/relay/client.ts";
import { ask } from "./service.ts";

const bindings = env as unknown as EndpointEnv;

describe("hubContext", () => {
  const chat = hubContext(bindings, ChatHub);

  it("publishes to groups, orders and everybody, without a token", async () => {
    using alice = await enter("chat/group:context");
    await chat.clients.group("context").receiveMessage("cron", "good morning");
    expect((await alice.said("receiveMessage")).params).toEqual(["cron", "good morning"]);
    await chat.clients.all.receiveMessage("cron", "all");
    expect((await alice.said("receiveMessage")).params).toEqual(["cron", "all"]);
    const { connectionId } = alice.hello.params;
    await chat.clients.connection(connectionId).send.receiveMessage("cron", "you");
    expect((await alice.said("receiveMessage")).params).toEqual(["cron", "you"]);
  });

  it("keeps digits of 64 bits, and refuses what JSON has no form for", async () => {
    using alice = await enter("chat/group:digits");
    const untyped = chat.clients.group("digits") as unknown as {
      receiveMessage(user: string, text: unknown): Promise<void>;
    };
    await untyped.receiveMessage("cron", 2n ** 63n - 1n);
    await alice.said("receiveMessage");
    expect(alice.frames.at(-1)).toContain('["cron",9223372036854775807]');
    const circle: unknown[] = [];
    circle.push(circle);
    for (const value of [NaN, Infinity, 2n ** 64n, circle])
      await expect(untyped.receiveMessage("cron", value)).rejects.toMatchObject({
        name: "HubError",
        code: "invalid_arguments",
      });
  });

  it("publishes once under one key, and reads the history", async () => {
    const options = { idempotencyKey: "k" };
    const first = await chat.publish("group:log", "receiveMessage", ["cron", "1"], options);
    expect(await chat.publish("group:log", "receiveMessage", ["cron", "2"], options)).toBe(first);
    const { messages, position } = await chat.group("log").history();
    expect([position, messages.map(({ params }) => params)]).toEqual([first, [["cron", "1"]]]);
  });

  it("puts connections into rooms, and knows who is there", async () => {
    using alice = await enter("chat/group:somewhere");
    const room = chat.group("elsewhere");
    expect(await room.add(alice.hello.params.connectionId)).toBe(true);
    expect((await room.presence.list()).members.map(({ userId }) => userId)).toEqual(["alice"]);
    expect(await room.remove(alice.hello.params.connectionId)).toBe(true);
    expect([await room.isConnected(), await chat.user("nobody").isConnected()]).toEqual([
      false,
      false,
    ]);
  });

  it("finds who is connected, as a back end does", async () => {
    using client = await connected("chat", { user: "carol" });
    const room = chat.group("connected");
    expect(await room.add(client.id)).toBe(true);
    const found = [chat.connection(client.id).exists(), chat.user("carol").isConnected()];
    expect(await Promise.all([...found, room.isConnected()])).toEqual([true, true, true]);
    const none = [chat.connection("nobody").exists(), chat.group("nowhere").isConnected()];
    expect(await Promise.all(none)).toEqual([false, false]);
  });

  it("reaches no other tenant", async () => {
    using alice = await enter("chat/group:tenants", { claims: { tid: "acme" } });
    await chat.clients.group("tenants").receiveMessage("cron", "default");
    const acme = hubContext(bindings, ChatHub, { tenant: "acme" });
    await acme.clients.group("tenants").receiveMessage("cron", "acme");
    expect((await alice.said("receiveMessage")).params).toEqual(["cron", "acme"]);
  });

  it("means the tenant that tokens of the same name mean, and refuses what names none", async () => {
    using zoe = await enter("chat/group:tenants", { claims: { tid: "Zo\u00eb/../default" } });
    const tenant = hubContext(bindings, ChatHub, { tenant: "Zoe\u0308/../default" });
    await tenant.clients.group("tenants").receiveMessage("cron", "composed");
    expect((await zoe.said("receiveMessage")).params).toEqual(["cron", "composed"]);
    for (const name of ["", "a\nb", "\ud800", "x".repeat(129)])
      expect(() => hubContext(bindings, ChatHub, { tenant: name })).toThrow(/name/);
  });

  it("rejects as `backend` does", async () => {
    await expect(
      chat.clients.all.receiveMessage("cron", "x".repeat(300_000)),
    ).rejects.toMatchObject({ code: "too_large" });
  });
});

describe("a group that stands for a room", () => {
  it.each(["order-42", "order:42"])(
    "%s is the order's room, for services and code",
    async (name) => {
      using alice = await enter("orders/order:42");
      const body = { target: "orderStatusChanged", arguments: ["42", name] };
      const path = `/hubs/orders/groups/${encodeURIComponent(name)}`;
      expect((await ask("POST", `${path}/:send`, { body })).status).toBe(202);
      expect((await alice.said("orderStatusChanged")).params).toEqual(["42", name]);
      expect((await ask("HEAD", path)).status).toBe(200);
      await hubContext(bindings, OrderHub).clients.group(name).orderStatusChanged("42", "code");
      expect((await alice.said("orderStatusChanged")).params).toEqual(["42", "code"]);
    },
  );

  it("is the order's room for commands to selected connections, too", async () => {
    using alice = await enter("orders/group:shop", { user: "selected" });
    const execute = async (type: string) => {
      const filter = encodeURIComponent("userId eq 'selected'");
      const body = [{ type, group: "order-43" }];
      const path = `/hubs/orders/:execute?filter=${filter}`;
      expect((await ask("POST", path, { body })).status).toBe(202);
    };
    const send = (text: string) =>
      hubContext(bindings, OrderHub).clients.order("43").orderStatusChanged("43", text);
    await execute("JoinGroup");
    await send("in");
    await execute("LeaveGroup");
    await send("out");
    await execute("JoinGroup");
    await send("in again");
    await alice.heardFrame(({ params }) => params?.[1] === "in again");
    const heard = alice.messages("orderStatusChanged").map(({ params }) => params[1]);
    expect(heard).toEqual(["in", "in again"]);
  });

  it("is the order's room in filters of connections, too", async () => {
    using alice = await enter("orders/group:shop", { user: "in" });
    using bob = await enter("orders/group:shop", { user: "out" });
    const execute = async (filter: string, command: object) => {
      const path = `/hubs/orders/:execute?filter=${encodeURIComponent(filter)}`;
      expect((await ask("POST", path, { body: [command] })).status).toBe(202);
    };
    const sending = (text: string) => ({
      type: "SendMessage",
      message: { target: "orderStatusChanged", arguments: ["44", text] },
    });
    const ours = "userId in ('in', 'out')";
    await execute("userId eq 'in'", { type: "JoinGroup", group: "order-44" });
    await execute(`'order-44' in groups`, sending("in"));
    await execute(`${ours} and not ('order-44' in groups)`, sending("out"));
    await execute(`${ours} and ('order-45' in groups or 'shop' in groups)`, sending("both"));
    const heard = [];
    for (const client of [alice, bob]) {
      await client.heardFrame(({ params }) => params?.[1] === "both");
      heard.push(client.messages("orderStatusChanged").map(({ params }) => params[1]));
    }
    expect(heard).toEqual([
      ["in", "both"],
      ["out", "both"],
    ]);
  });

  it("has no users, and other groups are groups", async () => {
    expect((await ask("PUT", "/hubs/orders/users/alice/groups/order-42")).status).toBe(400);
    using alice = await enter("orders/group:orders");
    await hubContext(bindings, OrderHub).clients.group("orders").orderStatusChanged("1", "group");
    expect((await alice.said("orderStatusChanged")).params).toEqual(["1", "group"]);
  });
});
