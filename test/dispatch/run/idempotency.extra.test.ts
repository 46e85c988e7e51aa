// A request that is repeated with its idempotencyKey publishes nothing twice, as long as the rooms' logs remember.

import { env } from "cloudflare:workers";
import { evictDurableObject } from "cloudflare:test";
import { expect, it, onTestFinished } from "vitest";
import { enter, type Client, type Joining } from "../../rooms/client.ts";

const entering = async (room: string, joining: Joining = {}) => {
  const client = await enter(room, joining);
  onTestFinished(() => client[Symbol.dispose]());
  return client;
};

/** What `plain` has said to the listener, once its own barrier has come. */
async function heard(listener: Client, group: string): Promise<string[]> {
  await listener.call("sayGroups", [[group], "barrier"]);
  await listener.next(({ params }) => params?.[0] === "barrier");
  return listener.messages("said").flatMap(({ params }) => (params[0] === "barrier" ? [] : params));
}

const say = (client: Client, group: string, text: string, idempotencyKey: string) =>
  client.call("sayGroups", [[group], text], { idempotencyKey });

it("a repeated request says nothing twice, and is answered as the first was", async () => {
  const alice = await entering("plain/group:i1", { user: "alice" });
  const first = await say(alice, "i1", "once", "k");
  const second = await say(alice, "i1", "once", "k");
  expect([first.result, second.result]).toEqual([null, null]);
  expect(await heard(alice, "i1")).toEqual(["once"]);
});

it("requests that are repeated before the first is saved say nothing twice", async () => {
  const alice = await entering("plain/group:i2", { user: "alice" });
  await Promise.all([1, 2, 3].map(() => say(alice, "i2", "once", "k")));
  expect(await heard(alice, "i2")).toEqual(["once"]);
});

it("another connection of the same user repeats nothing, another user's key is another's", async () => {
  const alice = await entering("plain/group:i3", { user: "alice" });
  const again = await entering("plain/group:elsewhere", { user: "alice" });
  const bob = await entering("plain/group:i3", { user: "bob" });
  await say(alice, "i3", "alice's", "k");
  await say(again, "i3", "alice's", "k");
  await say(bob, "i3", "bob's", "k");
  expect(await heard(alice, "i3")).toEqual(["alice's", "bob's"]);
});

it("no user and key together spell another user's", async () => {
  const one = await entering("plain/group:i4", { user: "a" });
  const other = await entering("plain/group:i4", { user: "a/b" });
  await say(one, "i4", "one", "b/c");
  await say(other, "i4", "other", "c");
  expect(await heard(one, "i4")).toEqual(["one", "other"]);
});

it("each of several messages of one call is said once", async () => {
  const alice = await entering("plain/group:i5", { user: "alice" });
  await alice.call("join", ["i5b"]);
  for (let times = 0; times < 2; times++)
    await alice.call("sayGroups", [["i5", "i5b"], "both"], { idempotencyKey: "k" });
  await alice.next(({ room }) => room === "group:i5b");
  expect(await heard(alice, "i5")).toEqual(["both", "both"]);
  const rooms = alice.messages("said").map(({ room }) => room);
  expect(rooms.filter((room) => room === "group:i5b")).toHaveLength(1);
});

it("is remembered by a room that has slept, here and in another object", async () => {
  const alice = await entering("plain/group:i6", { user: "alice" });
  const far = await entering("plain/group:far", { user: "alice" });
  await say(alice, "i6", "once", "k");
  await say(far, "i6", "far", "f");
  await evictDurableObject(env.ROOMS.getByName("default/plain/group/i6"));
  await say(alice, "i6", "once", "k");
  await say(far, "i6", "far", "f");
  expect(await heard(alice, "i6")).toEqual(["once", "far"]);
});
