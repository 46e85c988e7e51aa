// What a token's `limits` leave its connection: calls, sizes, rooms, streams; and at once after a refresh.

import { exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { connected } from "../../rooms/relay/client.ts";
import { postRefresh } from "../../rooms/relay/members.ts";
import { enter, token, type Client, type Frame } from "../../rooms/client.ts";

// Buckets fill by the clock: it stands still but where a test moves it.
beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() }));
afterEach(() => vi.useRealTimers());
const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);

async function limited(room: string, limits: object): Promise<Client> {
  const client = await enter(room, { claims: { limits } });
  onTestFinished(() => client[Symbol.dispose]());
  return client;
}

const refresh = async (client: Client, limits: object) =>
  client.call("$/refresh", { token: await token("alice", { limits }) });
const codes = async (calls: Promise<Frame>[]) =>
  (await Promise.all(calls)).map(({ error }) => error?.data.code);
const echoes = (client: Client, count: number) =>
  codes(Array.from({ length: count }, (_, n) => client.call("echo", [n])));
const ok = (count: number) => Array(count).fill(undefined);
const slow = (count: number) => Array(count).fill("rate_limited");

it("counts calls by the token's rate and burst", async () => {
  const alice = await limited("ask/group:r1", { callsPerSecond: 2, callBurst: 3 });
  expect(await echoes(alice, 5)).toEqual([...ok(3), ...slow(2)]);
  pass(1_000);
  expect(await echoes(alice, 3)).toEqual([...ok(2), ...slow(1)]);
  const { error } = await alice.call("echo", [1]);
  expect(error?.message).toBe("2 calls a second are allowed (limits.callsPerSecond).");
});

it("is changed by a refresh at once, which is no refill", async () => {
  const alice = await limited("ask/group:r2", { callsPerSecond: 5, callBurst: 5 });
  expect(await echoes(alice, 4)).toEqual(ok(4));
  await refresh(alice, { callsPerSecond: 10, callBurst: 50 });
  expect(await echoes(alice, 2)).toEqual(slow(2));
  pass(1_000);
  expect(await echoes(alice, 11)).toEqual([...ok(10), ...slow(1)]);
  pass(10_000);
  await refresh(alice, { callBurst: 1 });
  expect(await echoes(alice, 2)).toEqual([...ok(1), ...slow(1)]);
});

it("bounds a frame's bytes, in JSON-RPC and in SignalR", async () => {
  const alice = await limited("ask/group:b1", { messageBytes: 200 });
  expect(await codes([alice.call("echo", ["x".repeat(90)])])).toEqual([undefined]);
  alice.send({ jsonrpc: "2.0", id: 1, method: "echo", params: ["x".repeat(200)] });
  expect((await alice.next(({ error }) => error !== undefined)).error!.data.code).toBe("too_large");
  using bob = await connected("relayed");
  const limits = { messageBytes: 100 };
  await postRefresh("relayed", bob.token, await token("alice", { limits }));
  bob.say({ type: 1, target: "SayAll", arguments: ["x".repeat(100)] });
  expect(await bob.record(({ type }) => type === 7)).toMatchObject({ allowReconnect: true });
});

it("bounds rooms, whoever puts the connection there; those it is in already stay", async () => {
  const alice = await limited("plain/group:g1", { groupsPerConnection: 2 });
  const join = (room: string) => codes([alice.call("$/join", { room })]);
  expect(await join("group:g2")).toEqual([undefined]);
  expect(await codes([alice.call("join", ["g3"])])).toEqual([undefined]);
  expect(await join("group:g4")).toEqual(["too_many_groups"]);
  expect(await codes([alice.call("join", ["g4"])])).toEqual(["too_many_groups"]);
  await refresh(alice, { groupsPerConnection: 1 });
  expect(alice.messages("$/left")).toEqual([]);
  await refresh(alice, {});
  expect(await join("group:g4")).toEqual([undefined]);
});

it("bounds joins a second, also those of a fresh token, which is no refill", async () => {
  const limits = { callsPerSecond: 2, callBurst: 50, groupsPerConnection: 1 };
  const alice = await limited("plain/group:j1", limits);
  const joins = (count: number) =>
    codes(Array.from({ length: count }, () => alice.call("$/join", { room: "group:j2" })));
  expect(await joins(3)).toEqual([...ok(2), ...slow(1)]);
  await refresh(alice, { ...limits, callsPerSecond: 10 });
  expect(await joins(1)).toEqual(slow(1));
  pass(1_000);
  expect(await joins(11)).toEqual([...ok(10), ...slow(1)]);
  pass(10_000);
  await refresh(alice, limits);
  expect(await joins(3)).toEqual([...ok(2), ...slow(1)]);
});

it("bounds streams in both directions", async () => {
  const alice = await limited("streams/group:s1", { streamsPerConnection: 1 });
  const [open] = [alice.call("busy")];
  expect(await codes([alice.call("count", [1])])).toEqual(["too_many_streams"]);
  alice.send({ jsonrpc: "2.0", method: "$/cancelRequest", params: { id: "c1" } });
  expect(await codes([open])).toEqual(["cancelled"]);
  const stream = (id: string) => ({ $stream: id });
  expect(await codes([alice.call("sumBoth", [stream("a"), stream("b")])])).toEqual([
    "too_many_streams",
  ]);
});

it("bounds all of a user's calls over HTTP together, and their bytes", async () => {
  const limits = { callsPerSecond: 1, callBurst: 2, messageBytes: 200 };
  const authorization = `Bearer ${await token("poster", { limits })}`;
  const headers = { authorization, "content-type": "application/json" };
  const post = (text: string) =>
    exports.default.fetch("https://edge.example/hubs/relayed/rpc", {
      ...{ method: "POST", headers },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "whoami", params: [], text }),
    });
  const answers = [await post(""), await post(""), await post("")];
  const told = await Promise.all(answers.map((one) => one.json<Frame>()));
  expect(told.map(({ error }) => error?.data.code)).toEqual([undefined, undefined, "rate_limited"]);
  expect((await post("x".repeat(200))).status).toBe(413);
});
