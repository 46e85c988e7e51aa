// Floods of what is no call: one budget for all that arrives on a connection, in messages and in bytes. The hub
// `pinched` lets 40 messages and 64 KiB through at once.

import { runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { VERSION, VERSION_PARAMETER } from "../../../src/model/package-version.ts";
import type { RelayParts } from "../../../src/rooms/relay/relay-parts.ts";
import { enter, roomAt, token } from "../../rooms/client.ts";
import { connected, relayOf, type SignalR } from "../../rooms/relay/client.ts";
import { answer, cancel, end, item, refusal } from "../frames.ts";

const FLOOD = 200;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** What an account must wait after a flood. */
const PAUSE_MS = 5_000;
let floods = 0;
/** Each flood is of another user: one is not let in again at once. */
const flooderId = (): string => `mallory-${++floods}`;

const jsonRpc: [string, (n: number) => unknown][] = [
  ["cancellations", (n) => cancel(n)],
  ["items of no stream", (n) => item(`s${n}`, n)],
  ["ends of no stream", (n) => end(`s${n}`)],
  ["answers to no question", (n) => answer(`s${n}`, n)],
  ["refusals of no question", (n) => refusal(`s${n}`, "no")],
  ["batches", (n) => [cancel(n), cancel(n), cancel(n), cancel(n)]],
];

it.each(jsonRpc)("closes a flood of %s with 4429", async (_, message) => {
  using flooder = await enter("pinched/group:floods", { user: flooderId() });
  using bystander = await enter("pinched/group:floods", { user: "bob" });
  for (let n = 0; n < FLOOD; n++) flooder.send(message(n));
  expect(await flooder.closed).toMatchObject({ code: 4429 });
  expect((await bystander.call("whoami")).error).toBeUndefined();
});

const signalR: [string, (n: number) => object][] = [
  ["2, items", (n) => ({ type: 2, invocationId: `${n}`, item: n })],
  ["3, completions", (n) => ({ type: 3, invocationId: `${n}`, result: n })],
  ["5, cancellations", (n) => ({ type: 5, invocationId: `${n}` })],
  ["6, pings", () => ({ type: 6, n: 1 })],
  ["8, acks", (n) => ({ type: 8, sequenceId: n })],
];

const UPGRADE = { headers: { upgrade: "websocket" } };
const EVENTS = { headers: { accept: "text/event-stream" } };
const POST = {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: '{"jsonrpc":"2.0","id":1,"method":"whoami","params":[]}',
};

const ending = (client: SignalR) => client.record(({ type }) => type === 7);

it.each(signalR)("closes a SignalR client that floods with type %s", async (_, message) => {
  using flooder = await connected("pinched", { user: flooderId() });
  for (let n = 0; n < FLOOD; n++) flooder.say(message(n));
  expect(await ending(flooder)).toMatchObject({ allowReconnect: true });
});

it("closes a client that sends more bytes than it may, whatever they are", async () => {
  using flooder = await enter("pinched/group:bytes", { user: flooderId() });
  for (let n = 0; n < 10; n++) flooder.send("x".repeat(10_000));
  expect(await flooder.closed).toMatchObject({ code: 4429 });
});

it("lets 10,000 items through at full speed", async () => {
  using alice = await enter("streams/group:fast", { user: "alice" });
  const count = 10_000;
  const total = alice.call("sum", [{ $stream: "s" }]);
  for (let n = 0; n < count; n += 100) alice.send(Array.from({ length: 100 }, () => item("s", 1)));
  alice.send(end("s"));
  expect((await total).result).toBe(count);
});

it("refuses the next connections of a user who has flooded, at rooms and relays, for five seconds", async () => {
  const user = flooderId();
  const access = `access_token=${await token(user)}`;
  const ways: [string, RequestInit][] = [
    [`/hubs/pinched/rpc?${access}`, UPGRADE],
    [`/hubs/pinched?${access}`, UPGRADE],
    [`/hubs/pinched/negotiate?negotiateVersion=1&${access}`, { method: "POST" }],
    [`/hubs/pinched/rpc?${access}`, POST],
    // Of our own client; EventSource is answered with a stream.
    [`/hubs/pinched/groups/again?${access}&${VERSION_PARAMETER}=${VERSION}`, EVENTS],
  ];
  const room = `/hubs/pinched/groups/again?${access}`;
  const refusedBy = (object: DurableObjectStub) =>
    runInDurableObject(object, (one) => {
      const { activity } = (one as unknown as { parts: RelayParts }).parts;
      return activity.counters.refusals.get("rate_limited") ?? 0;
    });
  const codeOf = async ([path, init]: [string, RequestInit]) => {
    const response = await exports.default.fetch(`https://edge.example${path}`, init);
    response.webSocket?.accept();
    response.webSocket?.close();
    await response.body?.cancel();
    return [response.status, response.headers.get("retry-after")];
  };
  using ofRoom = await enter("pinched/group:again", { user });
  using ofRelay = await connected("pinched", { user });
  const objects = [roomAt("pinched/group:again"), relayOf("pinched", ofRelay.id)];
  const before = await Promise.all(objects.map(refusedBy));
  for (let n = 0; n < FLOOD; n++) ofRoom.send(cancel(n));
  for (let n = 0; n < FLOOD; n++) ofRelay.say({ type: 5, invocationId: `${n}` });
  await Promise.all([ofRoom.closed, ending(ofRelay)]);
  const all: [string, RequestInit][] = [[room, UPGRADE], ...ways];
  expect(await Promise.all(all.map(codeOf))).toEqual(all.map(() => [429, "5"]));
  vi.setSystemTime(Date.now() + PAUSE_MS - 2_000);
  expect(await Promise.all(all.map(codeOf))).toEqual(all.map(() => [429, "2"]));
  const counted = (await Promise.all(objects.map(refusedBy))).map((now, at) => now - before[at]!);
  expect(counted).toEqual([4, 8]);
  using bystander = await enter("pinched/group:again", { user: "bob" });
  expect((await bystander.call("whoami")).error).toBeUndefined();
  vi.setSystemTime(Date.now() + 2_000);
  const statuses = (await Promise.all(all.map(codeOf))).map(([status]) => status);
  expect(statuses).toEqual([101, 101, 101, 200, 200, 200]);
});
