// Attacks on relays that failed, and shall go on failing.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { enter, roomAt, token } from "../client.ts";
import { rowsOf } from "../replaced.ts";
import { connected, lose, negotiate, open, relayOf, resume } from "./client.ts";

const RS = "\u001e";
const stateful = { query: "useStatefulReconnect=true", version: 2 };

const count = async (hub: string, id: string, table: string) =>
  runInDurableObject(
    relayOf(hub, id),
    (_, { storage }) => storage.sql.exec(`SELECT count(*) AS n FROM ${table}`).one()["n"],
  );

/** As other objects ask. */
function presentIn(room: string) {
  const peer: RoomRpc = roomAt(room);
  return peer.presence({});
}

const range = (length: number) => Array.from({ length }, (_, i) => i);

it("whoever comes back while others talk hears each message once, in order, without a hole", async () => {
  using bob = await connected("remembering", { user: "bob" });
  const names = range(6).map((i) => ({ user: `back-${i}`, query: "client=phone" }));
  const first = await Promise.all(names.map((one) => connected("remembering", one)));
  await Promise.all(first.map((one) => one.call("Join", "talk")));
  let n = 0;
  const talk = async (messages: number) => {
    for (let i = 0; i < messages; i++) {
      bob.say({ type: 1, target: "Say", arguments: ["talk", `${n++}`] });
      await scheduler.wait(21);
    }
  };
  await talk(3);
  await Promise.all(first.map((one) => one.hears("2")));
  const talking = talk(100);
  const heard: string[][] = [];
  let current = first;
  for (let round = 0; round < 4; round++) {
    await scheduler.wait(200);
    for (const one of current) await lose(one, "remembering");
    await scheduler.wait(100);
    for (const [i, one] of current.entries()) (heard[i] ??= []).push(...(one.texts as string[]));
    current = await Promise.all(names.map((one) => connected("remembering", one)));
  }
  await talking;
  await Promise.all(current.map((one) => one.hears("102")));
  for (const [i, one] of current.entries()) heard[i]!.push(...(one.texts as string[]));
  for (const one of heard) expect(one).toEqual(range(103).map(String));
  for (const one of current) one[Symbol.dispose]();
});

it("what a connection says twice after it resumed is done once, through ten resumes under traffic", async () => {
  let alice = await connected("resuming", stateful);
  await alice.call("Join", "twice");
  const sent = [1];
  const all: string[] = [];
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 5; i++) {
      sent.push(sent.length + 1);
      alice.say({ type: 1, target: "Say", arguments: ["twice", `${round}.${i}`] });
    }
    await alice.hears(`${round}.4`);
    all.push(...(alice.texts as string[]).filter((text) => text.startsWith(`${round}.`)));
    await lose(alice, "resuming");
    alice = await resume(alice, "resuming");
    // Nothing was confirmed.
    expect((await alice.record(({ type }) => type === 9)).sequenceId).toBe(1);
    alice.say({ type: 9, sequenceId: sent.length - 4 });
    for (let i = 0; i < 5; i++)
      alice.say({ type: 1, target: "Say", arguments: ["twice", `${round}.${i}`] });
  }
  alice.say({ type: 1, target: "Say", arguments: ["twice", "end"] });
  await alice.hears("end");
  const expected = range(10).flatMap((round) => range(5).map((i) => `${round}.${i}`));
  expect(all).toEqual(expected);
  expect(alice.texts).toEqual([...expected, "end"]);
  alice.say({ type: 7 });
  await alice.closed;
});

it("two sockets at once on one token are one connection; odd numbers and early calls do no harm", async () => {
  const { connectionToken } = await negotiate("resuming", stateful);
  const both = await Promise.all(range(10).map(() => open("resuming", connectionToken, stateful)));
  expect(both.filter(({ status }) => status === 101)).toHaveLength(1);
  expect(both.filter(({ status }) => status === 409)).toHaveLength(9);
  const alice = await connected("resuming", stateful);
  await lose(alice, "resuming");
  using again = await resume(alice, "resuming");
  again.say({ type: 1, invocationId: "early", target: "Whoami", arguments: [] });
  again.say({ type: 8, sequenceId: 9_007_199_254_740_991 });
  again.say({ type: 9, sequenceId: 0 });
  again.say({ type: 8, sequenceId: 0 });
  again.say({ type: 1, invocationId: "zero", target: "Whoami", arguments: [] });
  again.say({ type: 1, invocationId: "one", target: "Whoami", arguments: [] });
  await again.record(({ invocationId }) => invocationId === "one");
  expect(
    again.heard.filter(({ type }) => type === 3).map(({ invocationId }) => invocationId),
  ).toEqual(["one"]);
  for (const bad of ["-1", "1.5", '"1"', "1e400", "9007199254740992"]) {
    using other = await connected("resuming", stateful);
    other.socket.send(`{"type":9,"sequenceId":${bad}}${RS}`);
    expect((await other.closed).code).toBe(1000);
  }
});

it("policies judge one name, however it is written", async () => {
  using alice = await connected("signalr");
  for (const target of ["Secret", "SECRET", "sEcReT", "secret"])
    expect((await alice.call(target)).error).toBe(
      `Failed to invoke '${target}' because user is unauthorized`,
    );
  for (const target of [
    "\u017Fecret",
    "Secret ",
    "secret\u0000",
    "__proto__",
    "constructor",
    "toString",
    "$/refresh",
  ])
    expect((await alice.call(target)).error).toContain("Method does not exist.");
  expect((await alice.call("\u212Aeep")).error).toContain("Method does not exist.");
  using bob = await connected("relayed");
  expect((await bob.call("\u212Aeep", "a", 1)).error).toBeUndefined();
});

it("what is for nothing that is open changes nothing: items, ends, answers, cancels, floods of pings", async () => {
  using alice = await connected("signalr");
  const odd = [
    { type: 2, invocationId: "none", item: 1 },
    { type: 3, invocationId: "none", result: 1 },
    { type: 3, invocationId: "s1-00000000", result: true },
    { type: 5, invocationId: "none" },
    { type: 8, sequenceId: 3 },
    { type: 9, sequenceId: 3 },
    { type: 99 },
  ];
  const frame = odd.map((one) => JSON.stringify(one) + RS).join("");
  for (let i = 0; i < 50; i++) alice.socket.send(frame);
  alice.socket.send(`{"type":6}${RS}`.repeat(900));
  expect((await alice.call("Add", 1, 2)).result).toBe(3);
  expect((await alice.call("Add", 1, 2)).result).toBe(3);
  for (const long of ["i".repeat(128), "i".repeat(129), "i".repeat(20_000)]) {
    alice.say({ type: 1, invocationId: long, target: "Add", arguments: [1, 1] });
    expect((await alice.record(({ invocationId }) => invocationId === long)).result).toBe(2);
  }
  alice.say({
    type: 1,
    invocationId: "streams",
    target: "Sum",
    arguments: [],
    streamIds: range(900).map(String),
  });
  const refused = await alice.record(({ invocationId }) => invocationId === "streams");
  expect(refused.error).toContain("Client sent 900 stream(s), Hub method expects 1.");
});

it("a message in frames of a byte arrives; one that is too large closes at once", async () => {
  using alice = await connected("signalr");
  const text =
    JSON.stringify({ type: 1, invocationId: "bytes", target: "Echo", arguments: ["é€😀"] }) + RS;
  for (const byte of new TextEncoder().encode(text)) alice.socket.send(Uint8Array.of(byte));
  expect((await alice.record(({ invocationId }) => invocationId === "bytes")).result).toBe("é€😀");
  const call = (size: number) => {
    const empty = JSON.stringify({ type: 1, invocationId: "b", target: "Echo", arguments: [""] });
    return empty.replace('""', `"${"x".repeat(size - empty.length - 1)}"`) + RS;
  };
  alice.socket.send(call(32_768));
  await alice.record(({ invocationId }) => invocationId === "b");
  alice.socket.send(call(32_769));
  await alice.record(({ type }) => type === 7);
  expect((await alice.closed).code).toBe(1000);
});

it("leaves no rows and lets the relay sleep when everybody has gone", async () => {
  const clients = await Promise.all(
    range(5).map((i) => connected("resuming-five", { user: `gone-${i}`, ...stateful })),
  );
  const id = clients[0]!.id;
  for (const one of clients) await Promise.all([one.call("Join", "a"), one.call("Join", "b")]);
  for (const one of clients) await one.call("Say", "a", "x");
  await clients[0]!.call("Leave", "b");
  for (const one of clients) {
    one.say({ type: 7 });
    await one.closed;
  }
  for (const table of ["resumables", "unconfirmed", "joins", "follows", "stands"])
    await expect.poll(() => count("resuming-five", id, table), { timeout: 5_000 }).toBe(0);
  expect((await presentIn("resuming-five/group:a")).connections).toBe(0);
  await evictDurableObject(relayOf("resuming-five", id));
});

it("joins and leaves that cross end as the last of them says", async () => {
  using alice = await connected("relayed");
  using bob = await connected("relayed", { user: "bob" });
  for (let i = 0; i < 20; i++) {
    const calls = i % 2 === 0 ? ["Leave", "Join"] : ["Join", "Leave"];
    await Promise.all(calls.map((target) => alice.call(target, "crossed")));
    const { connections } = (await bob.call("Members", "crossed")).result;
    expect(connections).toBe(i % 2 === 0 ? 1 : 0);
  }
});

it("who came for a full room tracks, refreshes and leaves as in the room itself, also after sleep", async () => {
  const room = "full/group:words";
  const clients = [];
  for (let i = 0; i < 4; i++) clients.push(await enter(room, { user: `user-${i}` }));
  const last = clients[3]!;
  expect((await last.call("$/track", { state: { a: 1 } })).error).toBeUndefined();
  expect((await last.call("$/refresh", { token: await token("user-3") })).result).toHaveProperty(
    "expiresAt",
  );
  expect((await last.call("$/refresh", { token: await token("user-1") })).error?.data.code).toBe(
    "forbidden",
  );
  await evictDurableObject(relayOf("full", last.hello.params.connectionId));
  const { members } = (await last.call("$/presence")).result;
  expect(members.find(({ userId }: { userId: string }) => userId === "user-3").state).toEqual({
    a: 1,
  });
  last.socket.close(1000);
  await expect.poll(async () => (await presentIn(room)).connections).toBe(3);
  await expect
    .poll(async () => (await rowsOf(room, "followers")).length, { timeout: 5_000 })
    .toBe(0);
  for (const one of clients) one[Symbol.dispose]();
});
