// Clients that never ping are pinged by the object's alarm, as ASP.NET Core pings all; those that ping cost no alarm.
// `ngx-signalr-websocket` 1.3 never pings by itself, and answers each ping with a ping.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PING } from "../../../src/model/wire-constants.ts";
import { token, upgrade } from "../client.ts";
import { objectName } from "../../../src/rooms/rpc/object-names.ts";
import { connected, open, SignalR, type Negotiated, type relayOf } from "./client.ts";

const HUB = "relayed";
const AGENT = "Microsoft SignalR/10.0 (10.0.11; Linux; NodeJS; v24.0.0)";
const FIRST_MS = 20_000;
const EVERY_MS = 15_000;

beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() }));
afterEach(() => vi.useRealTimers());

type Relay = ReturnType<typeof relayOf>;

/** A tenant for each test: its relay has no other clients. */
let tenant = "";
beforeEach(({ task }) => void (tenant = `pings-${task.id}`));

const relayOfConnection = ({ id }: { readonly id: string }): Relay => {
  const relay = /@relay:(.+)$/.exec(id)![1]!;
  return env.RELAYS.getByName(objectName({ tenant, hub: HUB, relay })) as unknown as Relay;
};
const joined = (user: string) => connected(HUB, { user, claims: { tid: tenant } });

const pingsOf = ({ frames }: SignalR) =>
  frames.filter((frame) => frame.includes('{"type":6}')).length;
const pinged = (client: SignalR, times: number) => expect.poll(() => pingsOf(client)).toBe(times);

/** Milliseconds until the object's alarm. */
const dueIn = (relay: Relay) =>
  runInDurableObject(relay, async (_, { storage }) => (await storage.getAlarm())! - Date.now());

async function pass(relay: Relay, ms: number): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  await runDurableObjectAlarm(relay);
}

/** What the hub's index shall know is reported, so that the next alarm is the pings', if there is one. */
async function reported(relay: Relay): Promise<void> {
  await pass(relay, 2_000);
  await pass(relay, 8_000);
}

/** As Microsoft's clients negotiate in browsers, or as those in Node do. */
async function negotiateAs(headers: Record<string, string>, user: string): Promise<Negotiated> {
  const authorization = `Bearer ${await token(user, { tid: tenant })}`;
  const url = `https://edge.example/hubs/${HUB}/negotiate?negotiateVersion=1`;
  const response = await exports.default.fetch(url, {
    method: "POST",
    headers: { authorization, ...headers },
  });
  return response.json();
}

async function shaken(negotiated: Negotiated, user = "alice"): Promise<SignalR> {
  const { webSocket } = await open(HUB, negotiated.connectionToken, {
    user,
    claims: { tid: tenant },
  });
  const client = new SignalR(webSocket!, negotiated);
  client.say({ protocol: "json", version: 1 });
  await client.shaken;
  return client;
}

it("pings a client that never pings 20 s after it connected, and each 15 s from then on, also out of sleep", async () => {
  using mute = await joined("mute");
  const relay = relayOfConnection(mute);
  await reported(relay);
  expect(await dueIn(relay)).toBeLessThanOrEqual(FIRST_MS - 10_000);
  await pass(relay, FIRST_MS - 10_000);
  await pinged(mute, 1);
  for (let round = 2; round <= 4; round++) {
    await evictDurableObject(relay);
    await pass(relay, EVERY_MS);
    await pinged(mute, round);
  }
});

it("answers no ping that answers one of its own, and answers those of others meanwhile", async () => {
  using echo = await joined("echo");
  using other = await joined("other");
  let answers = 0;
  echo.socket.addEventListener("message", ({ data }) => {
    if (data !== PING) return;
    answers++;
    echo.socket.send(PING);
  });
  other.socket.send(PING);
  await pinged(other, 1);
  const relay = relayOfConnection(echo);
  await reported(relay);
  await pass(relay, FIRST_MS - 10_000);
  await pinged(echo, 1);
  for (let round = 2; round <= 3; round++) {
    await evictDurableObject(relay);
    await pass(relay, EVERY_MS);
    await pinged(echo, round);
    other.socket.send(PING);
    await pinged(other, round);
  }
  expect((await echo.call("Whoami")).error).toBeUndefined();
  expect([answers, pingsOf(echo)]).toEqual([3, 3]);
});

it("checks a client of another maker that pings once, and sets no alarm for it afterwards", async () => {
  using other = await joined("other");
  const relay = relayOfConnection(other);
  await reported(relay);
  other.socket.send(PING);
  await pinged(other, 1);
  expect(await dueIn(relay)).toBeLessThanOrEqual(FIRST_MS - 10_000);
  await pass(relay, FIRST_MS - 10_000);
  await evictDurableObject(relay);
  await reported(relay);
  expect(await dueIn(relay)).toBeGreaterThan(60_000);
  expect(pingsOf(other)).toBe(1);
});

it.for([
  ["in a browser", { "x-signalr-user-agent": AGENT }],
  ["in Node or .NET", { "user-agent": AGENT }],
] as const)("sets no alarm at all for a client of Microsoft's %s", async ([, headers]) => {
  using stock = await shaken(await negotiateAs(headers, "alice"));
  const relay = relayOfConnection(stock);
  await reported(relay);
  expect(await dueIn(relay)).toBeGreaterThan(60_000);
  await evictDurableObject(relay);
  await pass(relay, 60_000);
  expect(pingsOf(stock)).toBe(0);
});

it("sets none for a client of Microsoft's that skipped the negotiation, where its socket says so", async () => {
  const path = `/hubs/${HUB}?access_token=${await token("skipper", { tid: tenant })}`;
  const { webSocket } = await upgrade(path, { "user-agent": AGENT });
  using stock = new SignalR(webSocket!, { connectionId: "", connectionToken: "" });
  stock.say({ protocol: "json", version: 1 });
  await stock.shaken;
  const { connectionId } = (await stock.call("Whoami")).result;
  const relay = relayOfConnection({ id: connectionId });
  await reported(relay);
  expect(await dueIn(relay)).toBeGreaterThan(60_000);
});

it("checks clients that connect within seconds by one alarm, and pings all that need it together", async () => {
  using first = await joined("first");
  const relay = relayOfConnection(first);
  vi.setSystemTime(Date.now() + 3_000);
  using second = await joined("second");
  await reported(relay);
  await pass(relay, FIRST_MS - 13_000);
  await pinged(first, 1);
  await pinged(second, 1);
  expect(await dueIn(relay)).toBeLessThanOrEqual(EVERY_MS);
});

it("comes to an end with a client that pings in frames of its own spelling and answers pings", async () => {
  using odd = await joined("odd");
  const own = '{"type": 6}\u001e';
  odd.socket.addEventListener("message", ({ data }) => data === PING && odd.socket.send(own));
  odd.socket.send(own);
  await pinged(odd, 3);
  await odd.call("Whoami");
  expect(pingsOf(odd)).toBe(3);
  vi.setSystemTime(Date.now() + 5_000);
  odd.socket.send(own);
  await pinged(odd, 4);
});
