// Who is in a room, as its members hear of it, through the worker. Grace and leaves are moved by hand.

import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { enter, roomAt, type Client, type Frame } from "../client.ts";
import { range } from "../storage.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() }));
afterEach(() => vi.useRealTimers());

const presenceOf = (client: Client) => client.messages("$/presence").map(({ params }) => params);
const namesIn = (frames: readonly Frame["params"][], which: "joined" | "left"): string[] =>
  frames.flatMap((params) =>
    (params[which] ?? []).map((one: string | { userId: string }) =>
      typeof one === "string" ? one : one.userId,
    ),
  );
const says = (which: "joined" | "left", user: string) => (frame: Frame) =>
  frame.method === "$/presence" && namesIn([frame.params], which).includes(user);

const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);
/** Everything said so far has come when a message said now has. */
async function settled(room: string, ...clients: Client[]): Promise<void> {
  const mark = crypto.randomUUID();
  await roomAt(room).publish({ target: "mark", params: JSON.stringify([mark]) });
  await Promise.all(
    clients.map((client) => client.heardFrame(({ params }) => params?.[0] === mark)),
  );
}
/** A page that goes away, and may be loading again: for presence as good as a loss. */
const leave = async (client: Client, code = 1001) => {
  client.socket.close(code);
  await client.closed;
};

describe("the members of a room", () => {
  it("hear one join and one leave of a user, however many devices", async () => {
    const room = "orders/order:devices";
    using watcher = await enter(room, { user: "watcher" });
    const devices: Client[] = [];
    for (let i = 0; i < 4; i++) devices.push(await enter(room, { user: "alice" }));
    await watcher.next(says("joined", "alice"));
    for (const device of devices) await leave(device);
    pass(6_000);
    await runDurableObjectAlarm(roomAt(room));
    const { params } = await watcher.next(says("left", "alice"));
    expect(params).toEqual({ users: 1, connections: 1, joined: [], left: ["alice"], more: false });
    expect(namesIn(presenceOf(watcher), "joined").filter((one) => one === "alice")).toHaveLength(1);
  });

  it("hear nothing of a reconnect within the grace", async () => {
    const room = "orders/order:reconnect";
    using watcher = await enter(room, { user: "watcher" });
    const before = await enter(room, { user: "alice" });
    await watcher.next(says("joined", "alice"));
    await leave(before);
    pass(4_900);
    using after = await enter(room, { user: "alice" });
    pass(60_000);
    await runDurableObjectAlarm(roomAt(room));
    await settled(room, watcher, after);
    expect(namesIn(presenceOf(watcher), "left")).toEqual([]);
    expect(namesIn(presenceOf(watcher), "joined").toSorted()).toEqual(["alice", "watcher"]);
    expect((await watcher.call("$/presence")).result).toMatchObject({ users: 2, connections: 2 });
  });

  it("hear one leave by alarm once the grace has passed, and a join when the user returns", async () => {
    const room = "orders/order:gone";
    using watcher = await enter(room, { user: "watcher" });
    const alice = await enter(room, { user: "alice" });
    await watcher.next(says("joined", "alice"));
    await leave(alice);
    await runDurableObjectAlarm(roomAt(room));
    await settled(room, watcher);
    expect(namesIn(presenceOf(watcher), "left")).toEqual([]);
    pass(6_000);
    expect(await runDurableObjectAlarm(roomAt(room))).toBe(true);
    await watcher.next(says("left", "alice"));
    using back = await enter(room, { user: "alice" });
    await watcher.next(says("joined", "alice"));
    expect(back.hello.params.present.users).toBe(2);
  });

  it("hear at once of a user who has closed the last connection, and of none who has another", async () => {
    const room = "orders/order:closed";
    using watcher = await enter(room, { user: "watcher" });
    const [phone, laptop] = [
      await enter(room, { user: "alice" }),
      await enter(room, { user: "alice" }),
    ];
    await watcher.next(says("joined", "alice"));
    await leave(phone, 1000);
    await settled(room, watcher);
    expect(namesIn(presenceOf(watcher), "left")).toEqual([]);
    await leave(laptop, 1000);
    const { params } = await watcher.next(says("left", "alice"));
    expect(params).toMatchObject({ users: 1, connections: 1, left: ["alice"] });
  });

  it("hear of a crowd in few frames, and the counts are right in the end", async () => {
    const room = "orders/order:crowd";
    const users = range(1, 300).map((n) => `user-${String(n).padStart(3, "0")}`);
    const started = performance.now();
    const crowd = await Promise.all(users.map((user) => enter(room, { user })));
    await Promise.all(crowd.map((one) => one.heardFrame(({ params }) => params?.users === 300)));
    const frames = crowd.reduce((sum, one) => sum + presenceOf(one).length, 0);
    console.log(
      `300 entered in ${(performance.now() - started).toFixed(0)} ms: ${frames} presence messages, ${frames / 300} each`,
    );
    expect(frames).toBeLessThan(300 * 30);
    expect((await crowd[299]!.call("$/presence")).result).toMatchObject({
      users: 300,
      connections: 300,
    });
    for (const one of crowd) one[Symbol.dispose]();
  });

  it("are told that names are missing where more than 100 join or leave at once", async () => {
    const room = "orders/order:leaving";
    using watcher = await enter(room, { user: "watcher" });
    const crowd = await Promise.all(range(1, 150).map((n) => enter(room, { user: `user-${n}` })));
    await watcher.heardFrame(({ params }) => params?.users === 151);
    await Promise.all(crowd.map((one) => leave(one)));
    pass(7_000);
    await runDurableObjectAlarm(roomAt(room));
    const { params } = await watcher.next(({ params: { left } = {} }) => left?.length > 0);
    expect([params.users, params.left.length, params.more]).toEqual([1, 100, true]);
  });
});
