// How a connection begins and resumes, and what it may ask of its room, through the worker.

import { afterEach, describe, expect, it, vi } from "vitest";
import { enter, positionOf, roomAt, token, upgrade, type Client, type Frame } from "../client.ts";
import { range } from "../storage.ts";

afterEach(() => vi.useRealTimers());

const say = (room: string, ...words: unknown[]) =>
  Promise.all(
    words.map((word) => roomAt(room).publish({ target: "said", params: JSON.stringify([word]) })),
  );
const wordsOf = (client: Client) => client.messages("said").map(({ params }) => params[0]);
const refusal = async (room: string, query: string, user = "alice") => {
  const response = await upgrade(`/parties/${room}?access_token=${await token(user)}&${query}`);
  return [response.status, ((await response.json()) as { error: { code: string } }).error.code];
};

describe("a connection", () => {
  it("gets $/connected alone, then the replay, then what is said live", async () => {
    const room = "orders/order:attach-1";
    using first = await enter(room);
    await say(room, 1, 2, 3);
    await first.next((frame) => frame.params?.[0] === 3);
    using second = await enter(room, { user: "bob", since: first.hello.params.position });
    await say(room, 4);
    await second.next((frame) => frame.params?.[0] === 4);
    expect(JSON.parse(second.frames[0]!)).toMatchObject({
      method: "$/connected",
      params: { recovered: true, room: "order:attach-1", userId: "bob" },
    });
    expect(JSON.parse(second.frames[1]!)).toHaveLength(second.hello.params.replayed);
    expect(wordsOf(second)).toEqual([1, 2, 3, 4]);
    expect(offsetsOf(second)).toEqual(range(offsetsOf(second)[0]!, offsetsOf(second).at(-1)!));
  });

  it("is counted in the presence that its own $/connected shows", async () => {
    using alice = await enter("orders/order:attach-2");
    expect(alice.hello.params).toMatchObject({
      present: { users: 1, connections: 1, members: [{ userId: "alice" }], more: false },
      durability: "logged",
      pingSeconds: 15,
    });
  });

  it.for([
    ["of another epoch", ({ offset }: { offset: number }) => `zzz:${offset}`],
    ["ahead of the log", ({ epoch }: { epoch: string }) => `${epoch}:999999`],
    ["further back than the history", ({ epoch }: { epoch: string }) => `${epoch}:1`],
  ] as const)(
    "[R2] is not recovered from a position %s, and nothing is replayed",
    async ([title, since]) => {
      const room = `orders/order:attach ${title}`;
      using first = await enter(room);
      for (const n of range(1, 110)) await say(room, n);
      using late = await enter(room, { user: "bob", since: since(positionOf(first.hello)) });
      await say(room, "live");
      await late.next((frame) => frame.params?.[0] === "live");
      expect(late.hello.params).toMatchObject({ recovered: false, replayed: 0 });
      expect(wordsOf(late)).toEqual(["live"]);
    },
  );

  it("[R2] is not recovered when it was away for longer than the history lasts", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const room = "orders/order:attach-old";
    using first = await enter(room);
    await say(room, 1, 2);
    vi.setSystemTime(Date.now() + 601_000);
    using late = await enter(room, { since: first.hello.params.position });
    expect(late.hello.params).toMatchObject({ recovered: false, replayed: 0 });
  });

  it("[R2] is not recovered where more was missed than is replayed at once", async () => {
    const room = "orders/order:attach-many";
    using first = await enter(room);
    await say(room, ...range(1, 501));
    using late = await enter(room, { since: first.hello.params.position });
    expect(late.hello.params).toMatchObject({ recovered: false, replayed: 0 });
  });

  it.for(["x", "x:", ":1", "x:-1", "x:01", "x:1e3", "X:1", "x:1:1", "x:9999999999999999"])(
    "is refused with the position %j",
    async (since) => {
      const room = "orders/order:attach-3";
      expect(await refusal(room, `since=${encodeURIComponent(since)}`)).toEqual([
        400,
        "invalid_position",
      ]);
    },
  );

  it("that resumes is not told what its old self was not told", async () => {
    const room = "orders/order:attach-4";
    const first = await enter(room);
    const { connectionId, position } = first.hello.params;
    const said = { target: "said", except: [connectionId as string] };
    await roomAt(room).publish({ ...said, params: '["not for me"]' });
    await say(room, "for all");
    first.socket.close();
    using back = await enter(room, { since: position, connection: connectionId });
    using stranger = await enter(room, { user: "bob", since: position });
    await say(room, "end");
    await back.next((frame) => frame.params?.[0] === "end");
    await stranger.next((frame) => frame.params?.[0] === "end");
    expect(wordsOf(back)).toEqual(["for all", "end"]);
    expect(wordsOf(stranger)).toEqual(["not for me", "for all", "end"]);
    expect(back.hello.params.replayed).toBe(stranger.hello.params.replayed - 1);
  });

  it("gets a long replay in several frames, whole", async () => {
    const room = "orders/order:attach-5";
    using first = await enter(room);
    await say(room, ...range(1, 7).map((n) => `${n}${"x".repeat(100_000)}`));
    using late = await enter(room, { since: first.hello.params.position });
    expect(
      wordsOf(late)
        .map((word: string) => word[0])
        .join(""),
    ).toBe("");
    await late.next((frame) => String(frame.params?.[0]).startsWith("7"));
    expect(
      wordsOf(late)
        .map((word: string) => word[0])
        .join(""),
    ).toBe("1234567");
    expect(Math.max(...late.frames.map((frame) => frame.length))).toBeLessThan(300_000);
  });
});

const offsetsOf = (client: Client) =>
  client.heard.flatMap((frame) => (frame.position ? [positionOf(frame).offset] : []));

describe("$/history", () => {
  it("gives messages without presence, by since, limit and reverse", async () => {
    const room = "orders/order:history-1";
    using alice = await enter(room);
    await alice.next((frame) => frame.method === "$/presence");
    await say(room, ...range(1, 5));
    await alice.next((frame) => frame.params?.[0] === 5);
    const all = (await alice.call("$/history", {})).result;
    expect(all.messages.map((one: { params: unknown[] }) => one.params[0])).toEqual(range(1, 5));
    expect(all.messages[0]).toMatchObject({ method: "said", at: expect.any(Number) });
    const page = async (query: object) =>
      (await alice.call("$/history", query)).result.messages.map(({ params }: Frame) => params[0]);
    expect(await page({ limit: 2 })).toEqual([4, 5]);
    expect(await page({ limit: 2, reverse: true })).toEqual([5, 4]);
    expect(await page({ since: all.messages[1].position })).toEqual([3, 4, 5]);
    expect(await page({ since: all.messages[1].position, limit: 1 })).toEqual([3]);
    expect(await page({ limit: 0 })).toEqual([]);
  });

  it.for([
    ["a position that is gone", { since: "zzz:1" }, "history_gone"],
    ["an ill-formed position", { since: "now" }, "invalid_position"],
    ["a negative limit", { limit: -1 }, "invalid_arguments"],
    ["a limit that is no number", { limit: "all" }, "invalid_arguments"],
  ] as const)("refuses %s", async ([, query, code]) => {
    using alice = await enter("orders/order:history-2");
    expect((await alice.call("$/history", query)).error?.data.code).toBe(code);
  });
});

describe("$/presence", () => {
  it("pages users by id", async () => {
    const room = "orders/order:paged";
    const users = range(1, 7).map((n) => `user-${n}`);
    const clients = await Promise.all(users.map((user) => enter(room, { user })));
    using alice = await enter(room, { user: "user-3" });
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const { result } = await alice.call("$/presence", { limit: 3, ...(after && { after }) });
      expect([result.users, result.connections]).toEqual([7, 8]);
      seen.push(...result.members.map((one: { userId: string }) => one.userId));
      after = result.more ? seen.at(-1) : undefined;
    } while (after);
    expect(seen).toEqual(users);
    for (const client of clients) client[Symbol.dispose]();
  });
});

describe("$/track", () => {
  it("shows a state to all, numbered like a message, until $/untrack", async () => {
    const room = "orders/order:track-1";
    using alice = await enter(room);
    using bob = await enter(room, { user: "bob" });
    const tracked = () =>
      bob.next((frame) => frame.method === "$/presence" && frame.params.tracked);
    expect((await alice.call("$/track", { state: { typing: true } })).result).toBe(null);
    const first = await tracked();
    expect(first.params).toEqual({ tracked: [{ userId: "alice", state: { typing: true } }] });
    const { result } = await bob.call("$/presence", {});
    expect(result.members[0]).toMatchObject({ userId: "alice", state: { typing: true } });
    await alice.call("$/untrack", {});
    const second = await tracked();
    expect(second.params).toEqual({ tracked: [{ userId: "alice", state: null }] });
    expect(positionOf(second).offset).toBe(positionOf(first).offset + 1);
  });

  it("refuses a state of more than 1,024 bytes", async () => {
    using alice = await enter("orders/order:track-2");
    const code = async (state: unknown) =>
      (await alice.call("$/track", { state })).error?.data.code;
    expect(await code("x".repeat(1_022))).toBeUndefined();
    expect(await code("x".repeat(1_023))).toBe("too_large");
    expect(await code("日".repeat(400))).toBe("too_large");
  });
});
