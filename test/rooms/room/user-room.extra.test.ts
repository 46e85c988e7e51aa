// A user's own room is in use from the first message to the user on, for all connections of the user.

import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { accountName } from "../../../src/rooms/rpc/object-names.ts";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { NOTHING, storedIn } from "../../support/stored.ts";
import { enter, roomAt, token, upgrade, Client } from "../client.ts";
import { connected, open, negotiate, relayOf, SignalR } from "../relay/client.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const said = (text: string) => ({ target: "said", params: JSON.stringify([text]) });
const roomOf = (user: string, hub = "relayed") => roomAt(`${hub}/user:${user}`);
const viewOf = (user: string) => (roomOf(user) as RoomRpc).presence({});
const accountOf = (user: string) =>
  env.ACCOUNTS.getByName(accountName({ tenant: "default", user }));
const useOf = (user: string, hub = "relayed") =>
  runInDurableObject(accountOf(user), (_, { storage }) =>
    storage.kv.get(`user/${user}/use ${hub}`),
  );

it("stores nothing for a user who connects, and nothing for reads of one who is away", async () => {
  using alice = await connected("relayed", { user: "quiet" });
  expect((await alice.call("Whoami")).result).toMatchObject({ userId: "quiet" });
  expect(await storedIn(roomOf("quiet"))).toEqual(NOTHING);
  expect((await viewOf("nobody-here")).connections).toBe(0);
  expect((await roomOf("nobody-here").info()).users).toBe(0);
  expect(await storedIn(roomOf("nobody-here"))).toEqual(NOTHING);
  expect(await useOf("nobody-here")).toBeUndefined();
});

it("reaches connections of before the first message, of after it, and of both protocols", async () => {
  const user = "spoken";
  using first = await connected("relayed", { user });
  const response = await upgrade(`/hubs/relayed/rpc?access_token=${await token(user)}`);
  using second = new Client(response.webSocket!);
  await second.next(({ method }) => method === "$/connected");
  await second.call("whoami");
  await roomOf(user).publish(said("one"));
  await first.hears("one");
  using third = await connected("relayed", { user });
  expect((await third.call("Whoami")).result).toMatchObject({ userId: user });
  await roomOf(user).publish(said("two"));
  await Promise.all([first.hears("two"), third.hears("two")]);
  expect([first.texts, third.texts]).toEqual([["one", "two"], ["two"]]);
  expect(
    (await second.next(({ params }) => Array.isArray(params) && params[0] === "two")).room,
  ).toBe(`user:${user}`);
});

it("reaches a connection that was admitted, and shakes hands after the first message", async () => {
  const user = "unshaken";
  const negotiated = await negotiate("relayed", { user });
  const response = await open("relayed", negotiated.connectionToken, { user });
  using client = new SignalR(response.webSocket!, negotiated);
  await roomOf(user).publish(said("too early"));
  client.say({ protocol: "json", version: 1 });
  await client.shaken;
  await client.call("Whoami");
  await roomOf(user).publish(said("in time"));
  await client.hears("in time");
  expect(client.texts).toEqual(["in time"]);
});

it("shows a user who is connected, from the first look on", async () => {
  using alice = await connected("relayed", { user: "seen" });
  await alice.call("Whoami");
  const { members, connections } = await viewOf("seen");
  expect([members.map(({ userId }) => userId), connections]).toEqual([["seen"], 1]);
  alice.socket.close(1000);
  await expect.poll(async () => (await viewOf("seen")).connections).toBe(0);
});

it("reaches them after the room, and after the relay, have slept", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const user = "asleep";
  using client = await connected("relayed", { user });
  await roomOf(user).publish(said("one"));
  await client.hears("one");
  // What all followers have is saved by alarm: a room that crashed before would repeat it.
  vi.setSystemTime(Date.now() + 6_000);
  await runDurableObjectAlarm(roomOf(user));
  await evictDurableObject(roomOf(user));
  await evictDurableObject(relayOf("relayed", client.id));
  await roomOf(user).publish(said("two"));
  await client.hears("two");
  expect(client.texts).toEqual(["one", "two"]);
});

it("has its own sockets and those of relays together, where hub code there speaks to the user", async () => {
  const user = "both";
  using relayed = await connected("relayed", { user });
  using own = await enter(`relayed/user:${user}`, { user });
  await own.call("sayUser", [user, "hello"]);
  await relayed.hears("hello");
  expect(relayed.texts).toEqual(["hello"]);
});

it("is out of use once it has ended, and in use again with the next message", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const user = "ended";
  await roomOf(user).publish(said("nobody hears it"));
  const first = await useOf(user);
  expect(first).toBeTypeOf("string");
  for (let round = 0; round < 20; round++) {
    vi.setSystemTime(Date.now() + 30 * 86_400_000);
    // oxlint-disable-next-line no-await-in-loop -- one alarm after another
    if (!(await runDurableObjectAlarm(roomOf(user)))) break;
  }
  expect(await storedIn(roomOf(user))).toEqual(NOTHING);
  expect(await useOf(user)).toBeUndefined();
  vi.useRealTimers();
  using client = await connected("relayed", { user });
  await client.call("Whoami");
  await roomOf(user).publish(said("again"));
  await client.hears("again");
  expect([await useOf(user)].includes(first)).toBe(false);
});

it("keeps the use of now where the end of an earlier one comes late", async () => {
  const account = accountOf("late") as unknown as {
    useRoom(user: string, hub: string, use: object): Promise<boolean>;
    disuseRoom(user: string, hub: string, id: string): Promise<void>;
  };
  await account.useRoom("late", "relayed", { id: "one", ifConnected: false });
  await account.useRoom("late", "relayed", { id: "two", ifConnected: false });
  await account.disuseRoom("late", "relayed", "one");
  expect(await useOf("late")).toBe("two");
  expect(await account.useRoom("late", "chat", { id: "three", ifConnected: true })).toBe(false);
});
