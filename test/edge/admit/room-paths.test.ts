// From a path to a room: names are decoded once, in one normal form, and both addresses lead to the same object.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, onTestFinished } from "vitest";
import { Client, token, upgrade } from "../../rooms/client.ts";

async function entered(path: string, user = "alice") {
  const response = await upgrade(`${path}?access_token=${await token(user)}`);
  expect(response.status).toBe(101);
  const client = new Client(response.webSocket!);
  onTestFinished(() => client[Symbol.dispose]());
  const { params } = await client.next(({ method }) => method === "$/connected");
  return { client, room: params.room as string };
}

describe("a room's name", () => {
  it.each([
    ["/hubs/chat/groups/lobby", "group:lobby"],
    ["/parties/chat/group:lobby", "group:lobby"],
    ["/hubs/CHAT/orders/42", "order:42"],
    ["/parties/Chat/order:42", "order:42"],
    ["/hubs/chat/users/alice", "user:alice"],
    ["/hubs/chat/groups/%2541", "group:%41"],
    ["/hubs/chat/groups/%41", "group:A"],
    ["/hubs/chat/groups/a%2Fb", "group:a/b"],
    ["/parties/chat/group%3Aa%2Fb", "group:a/b"],
    ["/hubs/chat/groups/a+b%20c", "group:a+b c"],
    ["/hubs/chat/groups/e%CC%81", "group:é"],
    ["/hubs/chat/groups/%C3%A9", "group:é"],
    ["/parties/chat/group:a:b", "group:a:b"],
    [`/hubs/chat/groups/${"x".repeat(128)}`, `group:${"x".repeat(128)}`],
    ["/hubs/chat/groups/Robert');DROP%20TABLE%20log;--", "group:Robert');DROP TABLE log;--"],
    ["/hubs/chat/groups/%22%27%3B%25_%5C", "group:\"';%_\\"],
    ["/hubs/chat/groups/__proto__", "group:__proto__"],
    ["/hubs/chat/groups/constructor", "group:constructor"],
    ["/hubs/chat/groups/%E2%80%AEabc", "group:\u202eabc"],
    ["/hubs/chat/groups/%F0%9F%90%AD", "group:🐭"],
  ])("in %s is %s", async (path, room) => {
    expect((await entered(path)).room).toBe(room);
  });

  it("is the same room at both addresses, whatever the case of the hub", async () => {
    const one = await entered("/hubs/chat/groups/same", "alice");
    const other = await entered("/parties/CHAT/group:same", "bob");
    await one.client.call("sendToRoom", ["same", "hello"]);
    expect((await other.client.said("receiveMessage")).params).toEqual(["alice", "hello"]);
  });

  it("tells capitals apart, and what is alike once it is escaped", async () => {
    const names = ["Case", "case", "a%2Fb", "a%252Fb"];
    const rooms = await Promise.all(names.map((name) => entered(`/hubs/chat/groups/${name}`)));
    expect(rooms.map(({ room }) => room)).toEqual([
      "group:Case",
      "group:case",
      "group:a/b",
      "group:a%2Fb",
    ]);
    for (const { client, room } of rooms) await client.call("sendToRoom", [room.slice(6), room]);
    for (const { client, room } of rooms)
      expect(client.messages("receiveMessage").map(({ params }) => params[1])).toEqual([room]);
  });

  it("of SQL is a name and nothing more, in every field that is stored", async () => {
    const name = "x'; DROP TABLE present; --";
    const { client } = await entered(`/hubs/chat/groups/${encodeURIComponent(name)}`, name);
    await client.call("sendToRoom", [name, name], { idempotencyKey: name });
    await client.call("joinRoom", [`${name}2`]);
    await client.call("$/track", { state: name });
    const stub = env.ROOMS.getByName(`default/chat/group/${name}`);
    const count = () => runInDurableObject(stub, (_, { storage }) => storage.sql.databaseSize);
    expect(await count()).toBeGreaterThan(0);
    await evictDurableObject(stub);
    const { result } = await client.call("$/presence");
    expect(result.members).toMatchObject([{ userId: name, state: name }]);
    expect((await client.call("$/history")).result.messages).toContainEqual(
      expect.objectContaining({ params: [name, name] }),
    );
  });
});

describe("an upgrade", () => {
  const protocolFor = async (offered: string) => {
    const { webSocket, status, headers } = await upgrade(
      `/hubs/chat/groups/lobby?access_token=${await token("alice")}`,
      { "sec-websocket-protocol": offered },
    );
    webSocket?.accept();
    webSocket?.close();
    return [status, headers.get("sec-websocket-protocol")];
  };

  it.each(["json-rpc", "other, json-rpc", "json-rpc,other"])(
    "that offers %j is told json-rpc",
    async (offered) => {
      expect(await protocolFor(offered)).toEqual([101, "json-rpc"]);
    },
  );

  it.each(["other", "JSON-RPC", "dormouse.v1", "json-rpc-2", "xjson-rpc"])(
    "that offers %j is told no subprotocol",
    async (offered) => {
      expect(await protocolFor(offered)).toEqual([101, null]);
    },
  );

  it("ignores what a client says in the worker's own header", async () => {
    const forged = btoa(
      JSON.stringify({ user: { id: "root", tenant: "acme", roles: ["service"] } }),
    );
    const response = await upgrade(
      `/hubs/chat/groups/forged?access_token=${await token("alice")}`,
      { "x-dormouse-arrival": forged },
    );
    const client = new Client(response.webSocket!);
    onTestFinished(() => client[Symbol.dispose]());
    const hello = await client.next();
    expect(hello.params).toMatchObject({ userId: "alice", room: "group:forged" });
    expect((await client.call("$/presence")).result.members).toMatchObject([{ userId: "alice" }]);
  });
});
