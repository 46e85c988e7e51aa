// Follow links: a connection of one room in others. Membership, order, sleep on either side.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { enter } from "../client.ts";

const room = (name: string) => env.ROOMS.getByName(`default/chat/group/${name}`);

/** Rows of a table of an object, for what cannot be seen from outside. */
const rows = (name: string, table: string) =>
  runInDurableObject(room(name), (_, state) =>
    state.storage.sql.exec(`SELECT * FROM ${table}`).toArray(),
  );

/** Lets the room's alarm ring five seconds later than now. */
async function settle(name: string): Promise<void> {
  vi.setSystemTime(Date.now() + 5_000);
  await runDurableObjectAlarm(room(name));
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

describe("a connection that joins another room", () => {
  it("hears it under that room's name and numbers, in order, beside its own", async () => {
    using alice = await enter("chat/group:f1-home", { user: "alice" });
    using bob = await enter("chat/group:f1-away", { user: "bob" });
    await alice.call("joinRoom", ["f1-away"]);
    for (let n = 0; n < 20; n++) await bob.call("sendToRoom", ["f1-away", `m${n}`]);
    const heard = [];
    for (let n = 0; n < 20; n++) heard.push(await alice.said("receiveMessage"));
    expect(heard.map((frame) => frame.params)).toEqual(
      Array.from({ length: 20 }, (_, n) => ["bob", `m${n}`]),
    );
    expect(new Set(heard.map((frame) => frame.room))).toEqual(new Set(["group:f1-away"]));
    const offsets = heard.map((frame) => Number(frame.position!.split(":")[1]));
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
    expect(new Set(offsets).size).toBe(20);
  });

  it("hears nothing more once it left, and the room forgets its object", async () => {
    using alice = await enter("chat/group:f2-home", { user: "alice" });
    using bob = await enter("chat/group:f2-away", { user: "bob" });
    await alice.call("joinRoom", ["f2-away"]);
    await alice.call("leaveRoom", ["f2-away"]);
    await bob.call("sendToRoom", ["f2-away", "secret"]);
    await bob.call("sendToRoom", ["f2-home", "open"]);
    expect(await alice.said("receiveMessage")).toMatchObject({ params: ["bob", "open"] });
    expect(await rows("f2-away", "followers")).toEqual([]);
    expect(await rows("f2-home", "joins")).toEqual([]);
  });

  it("is present there, once for several of its connections, by way of its object", async () => {
    using one = await enter("chat/group:f3-home", { user: "alice" });
    using two = await enter("chat/group:f3-home", { user: "alice" });
    using bob = await enter("chat/group:f3-away", { user: "bob" });
    await one.call("joinRoom", ["f3-away"]);
    await two.call("joinRoom", ["f3-away"]);
    const { result } = await bob.call("$/presence");
    expect(result).toMatchObject({
      users: 2,
      connections: 3,
      members: [
        { userId: "alice", connections: 2 },
        { userId: "bob", connections: 1 },
      ],
    });
  });

  it("hears what is said to everybody as soon as it is connected", async () => {
    using bob = await enter("chat/group:f13-b", { user: "bob" });
    for (let n = 0; n < 5; n++) {
      using alice = await enter(`chat/group:f13-${n}`, { user: "alice" });
      await bob.call("broadcastExceptSelf", [`to all ${n}`]);
      expect((await alice.said("receiveMessage")).params).toEqual(["bob", `to all ${n}`]);
    }
  });

  it("joins its own room without effect, and cannot leave it", async () => {
    using alice = await enter("chat/group:f4", { user: "alice" });
    expect((await alice.call("joinRoom", ["f4"])).error).toBeUndefined();
    await alice.call("sendToRoom", ["f4", "once"]);
    expect(alice.messages("receiveMessage")).toHaveLength(1);
    const { error } = await alice.call("leaveRoom", ["f4"]);
    expect(error?.data.code).toBe("invalid_request");
  });

  it("is refused the room beyond the hundredth, and keeps the others", async () => {
    // Alarms ring by the engine's clock: were ours to stand still, they would ring all the time once this takes
    // seconds.
    vi.useRealTimers();
    using alice = await enter("chat/group:f5", { user: "alice" });
    const join = (n: number) => alice.call("joinRoom", [`f5-${n}`]);
    for (let n = 0; n < 100; n++) expect((await join(n)).error).toBeUndefined();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 1_000 }); // the rate limit's bucket fills
    expect((await join(100)).error?.data.code).toBe("too_many_groups");
    using bob = await enter("chat/group:f5-7", { user: "bob" });
    await bob.call("sendToRoom", ["f5-7", "still"]);
    expect(await alice.said("receiveMessage")).toMatchObject({ room: "group:f5-7" });
  }, 120_000);
});

describe("a follow link", () => {
  it.each([
    ["the follower", ["home"]],
    ["the room", ["away"]],
    ["both", ["home", "away"]],
  ])("survives the sleep of %s: nothing is lost, nothing comes twice", async (_, asleep) => {
    const id = `f6-${asleep.join("")}`;
    using alice = await enter(`chat/group:${id}-home`, { user: "alice" });
    using bob = await enter(`chat/group:${id}-away`, { user: "bob" });
    await alice.call("joinRoom", [`${id}-away`]);
    for (let n = 0; n < 5; n++) {
      await bob.call("sendToRoom", [`${id}-away`, `m${n}`]);
      expect((await alice.said("receiveMessage")).params).toEqual(["bob", `m${n}`]);
      // Five seconds after something was said the room notes that all have it: no object sleeps sooner than that.
      await settle(`${id}-away`);
      for (const side of asleep) await evictDurableObject(room(`${id}-${side}`));
    }
    expect(alice.messages("receiveMessage")).toHaveLength(5);
    const { result } = await bob.call("$/presence");
    expect(result).toMatchObject({ users: 2, connections: 2 });
  });

  it("ends when the connection closes, and the user leaves after the grace", async () => {
    const alice = await enter("chat/group:f7-home", { user: "alice" });
    using bob = await enter("chat/group:f7-away", { user: "bob" });
    await alice.call("joinRoom", ["f7-away"]);
    await bob.next((frame) => frame.params?.joined?.[0]?.userId === "alice");
    alice.socket.close(1000);
    await alice.closed;
    await expect.poll(() => rows("f7-away", "followers")).toEqual([]);
    await settle("f7-away");
    await settle("f7-away");
    const left = await bob.next(
      (frame) => frame.method === "$/presence" && frame.params.left?.includes("alice"),
    );
    expect(left.params).toMatchObject({ users: 1, connections: 1, joined: [] });
  });

  it("is given back after the follower was reset: its sockets are gone, and so are its users", async () => {
    const alice = await enter("chat/group:f8-home", { user: "alice" });
    using bob = await enter("chat/group:f8-away", { user: "bob" });
    await alice.call("joinRoom", ["f8-away"]);
    await bob.next((frame) => frame.params?.joined?.[0]?.userId === "alice");
    await abort("f8-home");
    expect((await alice.closed).code).toBe(1006);
    await bob.call("sendToRoom", ["f8-away", "anybody?"]);
    await expect.poll(() => rows("f8-away", "followers")).toEqual([]);
    await settle("f8-away");
    await settle("f8-away");
    expect((await bob.call("$/presence")).result).toMatchObject({ users: 1, connections: 1 });
    expect(await rows("f8-home", "follows WHERE room <> 'all'")).toEqual([]);
  });

  it("is mended by the alarm when a batch failed: in order, once, and with what was said since", async () => {
    using alice = await enter("chat/group:f9-home", { user: "alice" });
    using bob = await enter("chat/group:f9-away", { user: "bob" });
    await alice.call("joinRoom", ["f9-away"]);
    const heal = await breaking("f9-home");
    await bob.call("sendToRoom", ["f9-away", "one"]);
    await heal.failed();
    await heal.now();
    await bob.call("sendToRoom", ["f9-away", "two"]);
    await settle("f9-away");
    const texts = [await alice.said("receiveMessage"), await alice.said("receiveMessage")];
    expect(texts.map((frame) => frame.params[1])).toEqual(["one", "two"]);
  });

  it("is mended after the room was reset between saving and delivering", async () => {
    using alice = await enter("chat/group:f10-home", { user: "alice" });
    const bob = await enter("chat/group:f10-away", { user: "bob" });
    await alice.call("joinRoom", ["f10-away"]);
    const heal = await breaking("f10-home");
    expect((await bob.call("sendToRoom", ["f10-away", "saved"])).error).toBeUndefined();
    await heal.failed();
    await heal.now();
    await abort("f10-away");
    await settle("f10-away");
    expect((await alice.said("receiveMessage")).params).toEqual(["bob", "saved"]);
  });

  it("asks again for a batch it missed, and drops what it has", async () => {
    using alice = await enter("chat/group:f11-home", { user: "alice" });
    using bob = await enter("chat/group:f11-away", { user: "bob" });
    await alice.call("joinRoom", ["f11-away"]);
    await bob.call("sendToRoom", ["f11-away", "one"]);
    const { position, params } = await alice.said("receiveMessage");
    const [epoch = "", offset] = [position!.split(":")[0], Number(position!.split(":")[1])];
    const batch = { room: "group:f11-away", epoch, after: offset + 5, entries: [], reset: false };
    expect(await room("f11-home").deliver(batch)).toMatchObject({ kind: "behind" });
    const old = { offset, target: "receiveMessage", params: JSON.stringify(params), at: 0 };
    const again = { ...batch, after: offset - 1, entries: [old] };
    expect(await room("f11-home").deliver(again)).toMatchObject({ kind: "taken" });
    await bob.call("sendToRoom", ["f11-away", "two"]);
    expect((await alice.said("receiveMessage")).params).toEqual(["bob", "two"]);
    expect(await room("f11-home").deliver({ ...batch, room: "group:nowhere" })).toMatchObject({
      kind: "gone",
    });
  });

  it("says reset where the room's log no longer has what was missed", async () => {
    using alice = await enter("chat/group:f12-home", { user: "alice" });
    using bob = await enter("chat/group:f12-away", { user: "bob" });
    await alice.call("joinRoom", ["f12-away"]);
    const heal = await breaking("f12-home");
    for (let n = 0; n < 3; n++) await bob.call("sendToRoom", ["f12-away", `lost ${n}`]);
    await runInDurableObject(room("f12-away"), (_, { storage }) =>
      storage.sql.exec("DELETE FROM log WHERE last < (SELECT max(last) FROM log)"),
    );
    bob.socket.close();
    await bob.closed;
    await heal.failed();
    await heal.now();
    await abort("f12-away");
    using carol = await enter("chat/group:f12-away", { user: "carol" });
    await carol.call("sendToRoom", ["f12-away", "after"]);
    await settle("f12-away");
    expect(await alice.said("$/reset")).toMatchObject({ room: "group:f12-away" });
  });
});

/** Resets an object: its sockets end with 1006, its storage stays. */
async function abort(name: string): Promise<void> {
  await runInDurableObject(room(name), (_, state) => state.abort("reset by a test")).catch(
    () => {},
  );
}

/** Lets batches to an object fail until `now()`: over RPC a property of the instance hides the class's method. */
async function breaking(name: string) {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
  const own = (change: (instance: object) => void) => runInDurableObject(room(name), change);
  await own((instance) => Object.assign(instance, { deliver: null }));
  return {
    failed: () => expect.poll(() => warned.mock.calls.length).toBeGreaterThan(0),
    async now() {
      await own((instance) => void Reflect.deleteProperty(instance, "deliver"));
      warned.mockRestore();
    },
  };
}
