// Relays: many rooms on one socket, as many objects as sockets need, and the same after sleep.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { PING } from "../../../src/model/wire-constants.ts";
import { enter, token } from "../client.ts";
import { connected, negotiate, open, relayOf } from "./client.ts";

const many = (hub: string, count: number) =>
  Promise.all(Array.from({ length: count }, (_, i) => connected(hub, { user: `user-${i}` })));

describe("a hub's relays", () => {
  it("take 40 sockets where one takes 5, and all hear what is said to a group and to all", async () => {
    const clients = await many("five", 40);
    const relays = new Set(clients.map(({ id }) => id.split("@")[1]));
    expect(relays.size).toBeGreaterThanOrEqual(8);
    await Promise.all(clients.map((client) => client.call("Join", "lobby")));
    for (const text of ["1", "2", "3"]) await clients[0]!.call("Say", "lobby", text);
    await clients[7]!.call("SayAll", "everybody");
    await Promise.all(clients.map((client) => client.hears("everybody")));
    await Promise.all(clients.map((client) => client.hears("3")));
    for (const client of clients) {
      expect(client.texts.filter((text) => text !== "everybody")).toEqual(["1", "2", "3"]);
      client[Symbol.dispose]();
    }
  });

  it("reach a user, connections and others wherever they are, and leave nobody in a group", async () => {
    const [a, b, c] = await Promise.all(
      ["ann", "bob", "bob"].map((user) => connected("five", { user })),
    );
    await a!.call("SayUser", "bob", "to bob");
    await Promise.all([b!.hears("to bob"), c!.hears("to bob")]);
    await a!.call("SayTo", [b!.id, a!.id], "to two");
    await Promise.all([b!.hears("to two"), a!.hears("to two")]);
    await a!.call("SayOthers", "to others");
    await Promise.all([b!.hears("to others"), c!.hears("to others")]);
    expect([a!.texts, c!.texts]).toEqual([["to two"], ["to bob", "to others"]]);
    for (const client of [a, b, c]) client![Symbol.dispose]();
  });

  it("put any connection into a group and take it out, and count who is there", async () => {
    using alice = await connected("relayed");
    using bob = await connected("relayed", { user: "bob" });
    await alice.call("Add", bob.id, "chosen");
    await alice.call("Say", "chosen", "hello bob");
    await bob.hears("hello bob");
    expect((await alice.call("Members", "chosen")).result).toEqual({ users: 1, connections: 1 });
    await alice.call("Remove", bob.id, "chosen");
    expect((await alice.call("Add", `${"x".repeat(22)}@relay:any.0.0`, "chosen")).error).toBe(
      undefined,
    );
    await alice.call("Say", "chosen", "nobody there");
    await alice.call("SayAll", "end");
    await bob.hears("end");
    expect(bob.texts).toEqual(["hello bob", "end"]);
  });

  it("share a group with sockets of the room itself, in one order", async () => {
    using alice = await connected("relayed");
    using direct = await enter("relayed/group:mixed", { user: "bob" });
    await alice.call("Join", "mixed");
    const said = Array.from({ length: 50 }, (_, i) =>
      i % 2 === 0 ? alice.call("Say", "mixed", `${i}`) : direct.call("say", ["mixed", `${i}`]),
    );
    await Promise.all(said);
    const last = direct.messages("said").at(-1)!.params[0] as string;
    await alice.hears(last);
    expect(alice.texts).toEqual(direct.messages("said").map(({ params }) => params[0]));
    expect(alice.texts).toHaveLength(50);
  });
});

describe("a relay that slept", () => {
  it("has its sockets, users, groups and items, and is not woken by pings", async () => {
    using alice = await connected("relayed");
    using bob = await connected("relayed", { user: "bob" });
    const relay = relayOf("relayed", alice.id);
    await alice.call("Join", "dreams");
    await alice.call("Keep", "color", { hue: 7 });
    // The room's announcement of the join is on its way before this, and would wake the relay.
    await bob.call("Say", "dreams", "good night");
    await alice.hears("good night");
    await evictDurableObject(relay);
    for (let i = 1; i <= 3; i++) {
      alice.socket.send(PING);
      await expect.poll(() => alice.frames.filter((frame) => frame === PING).length).toBe(i);
    }
    await expect(evictDurableObject(relay)).rejects.toThrow(/not .*running/i);
    await bob.call("Say", "dreams", "wake up");
    await alice.hears("wake up");
    expect((await alice.call("Kept", "COLOR".toLowerCase())).result).toEqual({ hue: 7 });
    expect((await alice.call("Whoami")).result).toEqual({
      userId: "alice",
      connectionId: alice.id,
    });
    expect((await alice.call("Members", "dreams")).result.connections).toBe(1);
  });

  it("knows the request its connections began with, but for what is secret", async () => {
    using alice = await connected("relayed", { query: "theme=dark" });
    await evictDurableObject(relayOf("relayed", alice.id));
    const { query, headers } = (await alice.call("Asked")).result;
    expect(query).toEqual({ theme: "dark" });
    expect(Object.keys(headers)).not.toContain("authorization");
  });
});

describe("a token of negotiation", () => {
  it("opens one socket, for its user and tenant", async () => {
    const { connectionToken } = await negotiate("relayed");
    for (const other of [{ user: "bob" }, { claims: { tid: "other" } }]) {
      const refused = await open("relayed", connectionToken, other);
      expect([refused.status, await refused.text()]).toEqual([404, "No Connection with that ID"]);
    }
    const first = await open("relayed", connectionToken);
    expect(first.status).toBe(101);
    first.webSocket!.accept();
    expect((await open("relayed", connectionToken)).status).toBe(409);
    first.webSocket!.close(1000);
    await expect.poll(async () => (await open("relayed", connectionToken)).status).toBe(404);
  });

  it("posts nothing to a connection that has a WebSocket", async () => {
    using alice = await connected("relayed");
    const url = `https://edge.example/hubs/relayed?id=${encodeURIComponent(alice.token)}`;
    const headers = { authorization: `Bearer ${await token("alice")}` };
    const call = { type: 1, target: "SayAll", arguments: ["posted"] };
    const body = `${JSON.stringify(call)}\u001e{"type":7}\u001e`;
    const posted = await exports.default.fetch(url, { method: "POST", headers, body });
    expect([posted.status, await posted.text()]).toEqual([
      ...[405, "POST requests are not allowed for WebSocket connections."],
    ]);
    await alice.call("SayAll", "sent");
    await alice.hears("sent");
    expect(alice.texts).toEqual(["sent"]);
  });

  it("is nobody's when it is made up, and makes no row", async () => {
    const made = `${"A".repeat(22)}_zzzzzzzz_${"B".repeat(22)}@relay:oc.3.5`;
    expect((await open("relayed", made)).status).toBe(404);
    const rows = await runInDurableObject(relayOf("relayed", made), (_, { storage }) =>
      storage.kv.get("seat-key"),
    );
    expect(rows).toBeUndefined();
    for (const strange of ["x@relay:mars.0.0", "x@relay:any.0.1", "x@relay:any.99.0", "..", "@"])
      expect((await open("relayed", strange)).status).toBe(404);
  });
});
