// Guests: clients without a token, at a hub that admits them.

import { exports } from "cloudflare:workers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Client, token, upgrade } from "../../rooms/client.ts";

/** A guest in a room of the hub. */
async function guestIn(path: string): Promise<Client> {
  const response = await upgrade(path);
  const client = new Client(response.webSocket!);
  client.hello = await client.next(({ method }) => method === "$/connected");
  return client;
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  exports.default.fetch(`https://edge.example${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

const WHOAMI = { jsonrpc: "2.0", id: 1, method: "whoami" };

describe("a guest", () => {
  it("is a user of its own on each connection", async () => {
    using one = await guestIn("/hubs/guests/groups/door");
    using other = await guestIn("/hubs/guests/groups/door");
    const [first, second] = [await one.call("whoami"), await other.call("whoami")];
    for (const { result } of [first, second])
      expect(result).toEqual({ id: expect.stringMatching(/^guest-[\w-]{22}$/), guest: true });
    expect(first.result.id).not.toBe(second.result.id);
    await other.call("say", ["door", "hello"]);
    expect((await one.said("said")).params).toEqual(["hello"]);
  });

  it("has no user's room, and is not signed in", async () => {
    using one = await guestIn("/hubs/guests/rpc");
    const { id } = (await one.call("whoami")).result;
    expect((await one.call("$/join", { room: `user:${id}` })).error?.data.code).toBe("forbidden");
    expect((await one.call("member")).error?.data.code).toBe("forbidden");
    expect((await upgrade("/hubs/guests/orders/42")).status).toBe(403);
    await one.call("join", ["all"]);
    await one.call("toUser", [id, "for you"]);
    await one.call("say", ["all", "barrier"]);
    expect((await one.said("said")).params).toEqual(["barrier"]);
  });

  it("calls over HTTP, at a path of the application's own as well", async () => {
    for (const path of ["/hubs/guests/rpc", "/guests/rpc"])
      expect(await (await post(path, WHOAMI)).json()).toMatchObject({ result: { guest: true } });
  });

  it("with a token is that token's user, and with a bad one refused", async () => {
    const authorization = `Bearer ${await token("alice")}`;
    const known = await post("/guests/rpc", WHOAMI, { authorization });
    expect(await known.json()).toMatchObject({ result: { id: "alice", guest: false } });
    const bad = await post("/guests/rpc", WHOAMI, { authorization: `${authorization}x` });
    expect([bad.status, bad.headers.get("x-dormouse-error")]).toEqual([401, "token_bad_signature"]);
  });

  it("is refused by other hubs, and of a page of another origin everywhere", async () => {
    expect((await post("/hubs/chat/rpc", WHOAMI)).status).toBe(401);
    expect((await post("/hubs/none/rpc", WHOAMI)).status).toBe(401);
    const origin = "https://elsewhere.example";
    expect((await post("/guests/rpc", WHOAMI, { origin })).status).toBe(403);
  });
});

it("guests of one address are limited together, and those of another not", async () => {
  vi.useFakeTimers({ toFake: ["Date"] }); // The rate recovers with time.
  onTestFinished(() => void vi.useRealTimers());
  const enter = (address: string) =>
    upgrade("/hubs/guests/groups/crowd", { "cf-connecting-ip": address });
  const crowd = await Promise.all(Array.from({ length: 205 }, () => enter("192.0.2.1")));
  const refused = crowd.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(5);
  const other = await enter("192.0.2.2");
  expect(other.status).toBe(101);
  for (const { webSocket } of [...crowd, other]) {
    webSocket?.accept();
    webSocket?.close();
  }
});
