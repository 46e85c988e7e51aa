// Rooms whose hubs ask for less: no log, a log written behind, counts in place of names.

import { abortAllDurableObjects, evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { enter, positionOf, roomAt, type Client } from "../client.ts";
import { range } from "../storage.ts";

afterEach(() => vi.useRealTimers());

const say = (room: string, word: unknown) =>
  roomAt(room).publish({ target: "said", params: JSON.stringify([word]) });
const hears = (client: Client, word: unknown) =>
  client.heardFrame(({ method, params }) => method === "said" && params[0] === word);
const restart = (client: Client) => abortAllDurableObjects().then(() => client.closed);

describe("a room without a log", () => {
  it("says so, delivers in order, and replays nothing", async () => {
    const room = "unlogged/order:1";
    using alice = await enter(room);
    expect(alice.hello.params.durability).toBe("none");
    for (const n of range(1, 3)) await say(room, n);
    await hears(alice, 3);
    const offsets = alice.messages("said").map((frame) => positionOf(frame).offset);
    expect(offsets).toEqual(range(offsets[0]!, offsets[0]! + 2));
    using late = await enter(room, { since: alice.hello.params.position });
    expect(late.hello.params).toMatchObject({ recovered: false, replayed: 0 });
    using exact = await enter(room, { since: (await hears(late, await marked(room))).position! });
    expect(exact.hello.params.recovered).toBe(true);
    expect((await alice.call("$/history", {})).result.messages).toEqual([]);
  });

  it("begins a new epoch after sleep, so that nobody resumes across what was not kept", async () => {
    const room = "unlogged/order:2";
    using alice = await enter(room);
    await say(room, 1);
    const { position } = await hears(alice, 1);
    await evictDurableObject(roomAt(room));
    using back = await enter(room, { since: position! });
    expect(back.hello.params.recovered).toBe(false);
    await say(room, 2);
    expect(positionOf(await hears(alice, 2)).epoch).not.toBe(
      positionOf({ position: position! }).epoch,
    );
  });
});

/** Says something that nobody said before. */
async function marked(room: string): Promise<string> {
  const mark = crypto.randomUUID();
  await say(room, mark);
  return mark;
}

describe("a room whose log is written behind", () => {
  it("says so, and replays what is not written yet", async () => {
    const room = "behind/order:1";
    using alice = await enter(room);
    expect(alice.hello.params.durability).toBe("behind");
    await say(room, 1);
    using late = await enter(room, { since: alice.hello.params.position });
    expect(late.hello.params.recovered).toBe(true);
    await hears(late, 1);
  });

  it("goes on under a new epoch after a crash", async () => {
    const room = "behind/order:2";
    const alice = await enter(room);
    await say(room, 1);
    const { position } = await hears(alice, 1);
    await restart(alice);
    using back = await enter(room, { since: position! });
    expect(back.hello.params).toMatchObject({ recovered: false, replayed: 0 });
    expect(positionOf(back.hello).epoch).not.toBe(positionOf({ position: position! }).epoch);
  });
});

describe("a room of counts", () => {
  it("says how many, to a crowd of 300 in few frames, and names nobody", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const room = "counts/order:1";
    const crowd = await Promise.all(range(1, 300).map((n) => enter(room, { user: `user-${n}` })));
    await Promise.all(crowd.map((one) => one.heardFrame(({ params }) => params?.users === 300)));
    const frames = crowd.flatMap((one) => one.messages("$/presence"));
    expect(frames.length).toBeLessThan(300 * 10);
    expect(new Set(frames.flatMap(({ params }) => Object.keys(params)))).toEqual(
      new Set(["users", "connections"]),
    );
    expect(crowd[299]!.hello.params.present.members).toEqual([]);
    for (const one of crowd.slice(100)) one.socket.close(1000);
    await Promise.all(crowd.slice(100).map(({ closed }) => closed));
    vi.setSystemTime(Date.now() + 7_000);
    await runDurableObjectAlarm(roomAt(room));
    const last = await crowd[0]!.heardFrame(({ params }) => params?.users === 100);
    expect(last.params).toEqual({ users: 100, connections: 100 });
    for (const one of crowd.slice(0, 100)) one[Symbol.dispose]();
  });

  it("says nothing after a wake, and is right", async () => {
    const room = "counts/order:2";
    using alice = await enter(room);
    using bob = await enter(room, { user: "bob" });
    await alice.heardFrame(({ params }) => params?.users === 2);
    const { length } = alice.messages("$/presence");
    await evictDurableObject(roomAt(room));
    expect((await bob.call("$/presence")).result).toEqual({
      users: 2,
      connections: 2,
      members: [],
      more: false,
    });
    await hears(alice, await marked(room));
    expect(alice.messages("$/presence").length).toBe(length);
    expect((await alice.call("$/track", { state: 1 })).error?.data.code).toBe("forbidden");
  });
});

describe("a room of a hub with a small queue", () => {
  it("replays what fits into it, and refuses what would close the socket", async () => {
    const room = "small/order:1";
    using alice = await enter(room);
    const { position } = alice.hello.params;
    await say(room, "x".repeat(500));
    using fits = await enter(room, { since: position });
    expect(fits.hello.params).toMatchObject({ recovered: true });
    await say(room, "y".repeat(500));
    using beyond = await enter(room, { since: position });
    expect(beyond.hello.params).toMatchObject({ recovered: false, replayed: 0 });
  });
});
