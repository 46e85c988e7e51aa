// Guests that would be another guest, or more than one address may be.

import { exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ask } from "../rest/service.ts";
import { Client, upgrade } from "../../rooms/client.ts";
import { SignalR, type Negotiated } from "../../rooms/relay/client.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const from = (address: string) => ({ "cf-connecting-ip": address });
const codeOf = (response: Response) => response.headers.get("x-dormouse-error");

const post = (path: string, address: string, body?: unknown) =>
  exports.default.fetch(`https://edge.example${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...from(address) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

const WHOAMI = { jsonrpc: "2.0", id: 1, method: "whoami" };

async function guestIn(path: string, address = "192.0.2.1"): Promise<Client> {
  const response = await upgrade(path, from(address));
  if (!response.webSocket) throw new Error(`Refused: ${codeOf(response)}`);
  const client = new Client(response.webSocket);
  client.hello = await client.next(({ method }) => method === "$/connected");
  return client;
}

async function negotiated(address: string, query = ""): Promise<Negotiated> {
  const response = await post(`/hubs/guests/negotiate?negotiateVersion=1&${query}`, address);
  if (!response.ok) throw new Error(`Refused: ${codeOf(response)}`);
  return response.json();
}

async function signalR(address: string, query = ""): Promise<SignalR> {
  const seat = await negotiated(address, query);
  const id = encodeURIComponent(seat.connectionToken);
  const { webSocket } = await upgrade(`/hubs/guests?id=${id}`, from(address));
  const client = new SignalR(webSocket!, seat);
  client.say({ protocol: "json", version: 1 });
  await client.shaken;
  return client;
}

describe("a guest that names another guest's id is not that guest", () => {
  it.each(["id=", "ID=&id=", "id=&Id="])("with ?%s", async (parameter) => {
    using known = await guestIn("/hubs/guests/rpc");
    const { id: victim } = (await known.call("whoami")).result;
    const query = parameter.replace("id=", `id=${victim}.x`).replace("Id=", `Id=${victim}.x`);
    const idOf = async (client: Client) => (await client.call("whoami")).result.id;
    using room = await guestIn(`/hubs/guests/groups/door?${query}`);
    using hub = await guestIn(`/hubs/guests/rpc?${query}`);
    using own = await guestIn(`/guests/rpc?${query}`);
    for (const client of [room, hub, own]) expect(await idOf(client)).not.toBe(victim);
    const called = await post(`/guests/rpc?${query}`, "192.0.2.1", WHOAMI);
    const { result } = await called.json<{ result: { id: string } }>();
    expect(result.id).not.toBe(victim);
    using negotiator = await signalR("192.0.2.1", query);
    expect((await negotiator.call("Whoami")).result.id).not.toBe(victim);
    const direct = await upgrade(`/hubs/guests?${query}`, from("192.0.2.1"));
    if (!direct.webSocket) return;
    using skipping = new SignalR(direct.webSocket, { connectionId: "", connectionToken: "" });
    skipping.say({ protocol: "json", version: 1 });
    await skipping.shaken;
    expect((await skipping.call("Whoami")).result.id).not.toBe(victim);
  });
});

it("the public ids of a guest are no token, also if it negotiated with version 0", async () => {
  const [own, other] = ["192.0.2.3", "192.0.2.4"];
  const seat = await (
    await post("/hubs/guests/negotiate?negotiateVersion=0", own)
  ).json<Negotiated>();
  const at = (token: string) => `/hubs/guests?id=${encodeURIComponent(token)}`;
  const poll = (token: string, address: string) =>
    exports.default.fetch(`https://edge.example${at(token)}`, { headers: from(address) });
  const send = (token: string, address: string, body: object) =>
    exports.default.fetch(`https://edge.example${at(token)}`, {
      ...{ method: "POST", headers: from(address), body: `${JSON.stringify(body)}\u001e` },
    });
  expect((await poll(seat.connectionId, own)).status).toBe(200);
  const shaken = await send(seat.connectionId, own, { protocol: "json", version: 1 });
  expect(shaken.status).toBe(200);
  const join = { type: 1, target: "Join", arguments: ["public"] };
  expect((await send(seat.connectionId, own, join)).status).toBe(200);
  const listed = async () => {
    const answer = await ask("GET", "/hubs/guests/groups/public/connections");
    return (await answer.json<{ value: { connectionId: string; userId: string }[] }>()).value;
  };
  await expect.poll(listed).toHaveLength(1);
  const [{ connectionId, userId }] = (await listed()) as [Awaited<ReturnType<typeof listed>>[0]];
  for (const token of [connectionId, `${userId}.${connectionId}`]) {
    expect((await poll(token, other)).status).toBe(404);
    expect((await send(token, other, join)).status).toBe(404);
  }
});

it("a ban of an address ends its guests' connections, and refuses their calls and posts", async () => {
  const address = "192.0.2.7";
  using inRoom = await guestIn("/hubs/guests/groups/banned", address);
  using inHub = await guestIn("/hubs/guests/rpc", address);
  using client = await signalR(address);
  using other = await guestIn("/hubs/guests/groups/banned", "192.0.2.8");
  const waiting = await negotiated(address);
  const path = `/hubs/guests/users/${encodeURIComponent(`guests@${address}`)}`;
  const banned = await ask("POST", `${path}/:ban`, { body: { seconds: 60 } });
  expect(banned.status).toBe(204);
  expect((await inRoom.closed).code).toBe(4512);
  expect((await inHub.closed).code).toBe(4512);
  await client.record(({ type }) => type === 7);
  expect(codeOf(await post("/guests/rpc", address, WHOAMI))).toBe("banned");
  const id = encodeURIComponent(waiting.connectionToken);
  expect(codeOf(await post(`/hubs/guests?id=${id}`, address, {}))).toBe("banned");
  expect(codeOf(await upgrade(`/hubs/guests?id=${id}`, from(address)))).toBe("banned");
  expect((await other.call("whoami")).result.guest).toBe(true);
  expect((await ask("POST", `${path}/:unban`)).status).toBe(204);
});

it("the addresses of one IPv6 network are one, as one household has them all", async () => {
  vi.useFakeTimers({ toFake: ["Date"] }); // The rate recovers with time.
  const enter = (address: string) => upgrade("/hubs/guests/groups/net", from(address));
  const crowd = await Promise.all(
    Array.from({ length: 205 }, (_, index) => enter(`2001:db8:1:2::${index.toString(16)}`)),
  );
  expect(crowd.filter(({ status }) => status === 429)).toHaveLength(5);
  const others = [await enter("2001:db8:1:3::1"), await enter("2001:db8:1::2")];
  for (const { status } of others) expect(status).toBe(101);
  for (const { webSocket } of [...crowd, ...others]) {
    webSocket?.accept();
    webSocket?.close();
  }
});

it("guests of one address cannot take all seats of a relay", async () => {
  vi.useFakeTimers({ toFake: ["Date"] }); // Seats lapse with time, and rates recover.
  vi.spyOn(console, "warn").mockImplementation(() => {}); // A hundred lines of refusals.
  const outcomes: (string | null)[] = [];
  for (let i = 0; i < 12; i++) {
    const seats = await Promise.all(
      Array.from({ length: 50 }, () =>
        post("/hubs/guests/negotiate?negotiateVersion=1", "192.0.2.9"),
      ),
    );
    outcomes.push(...seats.map(codeOf));
  }
  expect(outcomes.filter((code) => code === "too_many_connections")).toHaveLength(100);
  expect((await negotiated("192.0.2.10")).connectionToken).toBeTruthy();
});
