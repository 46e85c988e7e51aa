// Actions on a room's own sockets: what is sent, in which order, and what a failure leaves.

import { evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { enter, roomAt, type Client, type Frame } from "../client.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const room = (hub = "odd") => `${hub}/group:${crypto.randomUUID()}`;
const run = (client: Client, action: string, params: unknown[] = [], more: object = {}) =>
  client.call("$/run", { action, params, ...more });
/** Methods of the frames after `$/connected`, answers as `answer`. */
const order = (client: Client) =>
  client.heard
    .filter(({ method }) => method !== "$/connected" && method !== "$/presence")
    .map(({ method }) => method ?? "answer");
const changes = (client: Client): Frame["params"][] =>
  client.heard.filter(({ method }) => method === "$/state").map(({ params }) => params);

describe("an action on a room's own socket", () => {
  it("[ST5] gives a snapshot in $/connected, and its changes after it", async () => {
    const name = room("auctions");
    using alice = await enter(name);
    expect(alice.hello.params).toMatchObject({ recovered: false });
    expect(alice.hello.params.state).toEqual({ item: name.slice(15), price: 0, sold: false });
    expect((await alice.call("bid", [120])).result).toBe(120);
    expect(changes(alice)).toEqual([{ patch: { price: 120, leader: "alice" } }]);
    using bob = await enter(name, { user: "bob" });
    expect(bob.hello.params.state).toMatchObject({ price: 120, leader: "alice" });
  });

  it("[ST7][ST8] sends the patch, then messages, then the answer, in one frame", async () => {
    using alice = await enter(room());
    expect((await run(alice, "add", [2])).result).toMatchObject({ result: 2, repeated: false });
    expect(order(alice)).toEqual(["$/state", "added", "answer"]);
    const frame = alice.frames.find((text) => text.includes('"added"'))!;
    expect(JSON.parse(frame).map(({ method }: Frame) => method ?? "answer")).toEqual([
      "$/state",
      "added",
      "answer",
    ]);
    const [state, added] = JSON.parse(frame) as Frame[];
    const offset = (one: Frame) => Number(one.position!.split(":")[1]);
    expect(offset(added!)).toBe(offset(state!) + 1);
    expect(state!.params).toEqual({ patch: { count: 2 } });
  });

  it("makes one patch of the actions of a flush", async () => {
    using alice = await enter(room());
    const calls = [1, 2, 3, 4].map((by) => ({
      jsonrpc: "2.0",
      id: by,
      method: "add",
      params: [by],
    }));
    alice.send(calls);
    await alice.heardFrame(({ method, params }) => method === "added" && params[0] === 10);
    // The first may leave alone, where the room is small.
    expect(changes(alice).length).toBeLessThan(calls.length);
    expect(changes(alice).at(-1)).toEqual({ patch: { count: 10 } });
  });

  it("[ST2][F6] leaves nothing where it throws", async () => {
    using alice = await enter(room());
    expect((await run(alice, "half")).error?.data.code).toBe("no");
    expect((await run(alice, "pending")).result.result).toEqual([]);
    expect((await run(alice, "add", [1])).result.result).toBe(1);
    expect(order(alice)).toEqual(["answer", "answer", "$/state", "added", "answer"]);
  });

  it("[F7] is rolled back with `internal` where it returns a promise", async () => {
    using alice = await enter(room());
    expect((await run(alice, "promise")).error?.data.code).toBe("internal");
    expect((await run(alice, "add", [1])).result.result).toBe(1);
  });

  it.each([
    ["date", [], "invalid_state"],
    ["result", ["nan"], "invalid_state"],
    ["result", ["circle"], "invalid_state"],
    ["result", ["large"], "invalid_state"],
    ["result", ["prototype"], "invalid_state"],
    ["result", ["items"], "wrong_kind"],
    ["put", ["a", null], "invalid_state"],
    ["put", ["a", { b: { c: null } }], "invalid_state"],
    ["put", ["a", "\ud800"], "invalid_state"],
    ["add", ["one"], "invalid_arguments"],
    ["add", [1, 2], "invalid_arguments"],
    ["admin", [], "forbidden"],
    ["tick", [1], "method_not_found"],
    ["__proto__", [], "method_not_found"],
    ["then", [], "method_not_found"],
    ["toString", [], "method_not_found"],
  ])("[F9][F23] refuses %s %j with %s, and changes nothing", async (action, params, code) => {
    using alice = await enter(room());
    expect((await run(alice, action, params)).error?.data.code).toBe(code);
    expect((await run(alice, "add", [1])).result.result).toBe(1);
  });

  it("[F23] finds an action named constructor, by its own name", async () => {
    using alice = await enter(room());
    expect((await run(alice, "constructor")).result.result).toBe("built");
    expect((await alice.call("constructor")).result).toBe("built");
  });

  it("[F10] keeps a state of 256 KiB exactly, and refuses one byte more", async () => {
    const name = room();
    using alice = await enter(name);
    expect((await run(alice, "fill", [256 * 1024 + 1])).error?.data.code).toBe("invalid_state");
    expect((await run(alice, "fill", [256 * 1024])).result.result).toBeNull();
    await evictDurableObject(roomAt(name));
    using bob = await enter(name);
    expect(JSON.stringify(bob.hello.params.state)).toHaveLength(256 * 1024);
  });

  it("[F10] sends the state in place of a patch that is larger", async () => {
    using alice = await enter(room());
    const notes = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`note-${n}`, n]));
    for (const [key, value] of Object.entries(notes)) await run(alice, "put", [key, value]);
    await run(alice, "fill", [100]);
    expect(changes(alice).at(-1)).toEqual({
      state: { notes: { fill: expect.any(String) }, count: 0 },
    });
  });

  it("knows the caller and the users in the room", async () => {
    const name = room();
    using alice = await enter(name);
    using bob = await enter(name, { user: "bob" });
    expect((await run(bob, "who")).result.result).toEqual([["alice", "bob"], "bob", "string"]);
    expect(alice.hello.params.connectionId).toBeTypeOf("string");
  });

  it("runs only where the room still stands at a position", async () => {
    using alice = await enter(room());
    const { position } = (await run(alice, "add", [1])).result;
    expect((await run(alice, "add", [1], { at: position })).result.result).toBe(2);
    expect((await run(alice, "add", [1], { at: position })).error?.data.code).toBe("conflict");
  });
});

describe("a run under a key", () => {
  it("[ST4][F5] is done once, and answered alike, at once and after a sleep", async () => {
    const name = room();
    using alice = await enter(name);
    const key = { idempotencyKey: "k1" };
    const [first, second] = await Promise.all([
      run(alice, "add", [5], key),
      run(alice, "add", [7], key),
    ]);
    expect(first.result).toMatchObject({ result: 5, repeated: false });
    expect(second.result).toEqual({ ...first.result, repeated: true });
    await evictDurableObject(roomAt(name));
    expect((await run(alice, "add", [5], key)).result).toEqual(second.result);
    using bob = await enter(name, { user: "bob" });
    expect((await run(bob, "add", [5], key)).result).toMatchObject({ result: 10, repeated: false });
  });

  it("takes a key as long as every protocol's", async () => {
    using alice = await enter(room());
    const idempotencyKey = "k".repeat(256);
    expect((await alice.call("add", [5], { idempotencyKey })).result).toBe(5);
    expect((await run(alice, "add", [5], { idempotencyKey })).result.repeated).toBe(true);
    const longer = { idempotencyKey: `${idempotencyKey}k` };
    expect((await run(alice, "add", [5], longer)).error?.data.code).toBe("invalid_arguments");
  });

  it("is done once by a key of the frame, unless the parameters have another", async () => {
    using alice = await enter(room());
    const runFramed = async (idempotencyKey: string, params = {}) =>
      (await alice.call("$/run", { action: "add", params: [5], ...params }, { idempotencyKey }))
        .result;
    expect(await runFramed("k3")).toMatchObject({ result: 5, repeated: false });
    expect(await runFramed("k3")).toMatchObject({ result: 5, repeated: true });
    expect((await run(alice, "add", [5], { idempotencyKey: "k3" })).result.repeated).toBe(true);
    const other = { idempotencyKey: "k4" };
    expect(await runFramed("k3", other)).toMatchObject({ result: 10, repeated: false });
  });

  it("is remembered by a key that a call by name has", async () => {
    using alice = await enter(room());
    const again = { idempotencyKey: "k2" };
    expect((await alice.call("add", [5], again)).result).toBe(5);
    expect((await alice.call("add", [5], again)).result).toBe(5);
    expect((await run(alice, "add", [5], again)).result).toMatchObject({
      result: 5,
      repeated: true,
    });
  });
});
