// Calls of one connection: their order, how many may wait, their ids, and how they are cancelled.

import { describe, expect, it } from "vitest";
import { enter, type Client } from "../../rooms/client.ts";
import { cancel, notification, request } from "../frames.ts";

/** Alice calls; bob, in the same room, opens gates and reads what happened. */
async function pair(hub: string, room: string) {
  const alice = await enter(`${hub}/group:${room}`, { user: "alice" });
  const bob = await enter(`${hub}/group:${room}`, { user: "bob" });
  const trace = async () => (await bob.call("trace")).result as string[];
  const release = (gate: string) => bob.call("release", [gate]);
  const end = () => [alice, bob].forEach(close);
  return { alice, bob, trace, release, [Symbol.dispose]: end };
}

const close = (client: Client) => client[Symbol.dispose]();

const code = (error: { data: { code: string }; code: number } | undefined) =>
  error && [error.code, error.data.code];

describe("calls of one connection", () => {
  it("start after the one before is done", async () => {
    using room = await pair("slow", "in-turn");
    const first = room.alice.call("hold", ["in-turn"]);
    const second = room.alice.call("note", ["second"]);
    await room.release("in-turn");
    expect((await first).result).toBe("in-turn");
    await second;
    expect(await room.trace()).toEqual(["begin in-turn", "end in-turn", "second"]);
  });

  it("run two at once where the hub allows two", async () => {
    using room = await pair("parallel", "two");
    const calls = ["two-a", "two-b", "two-c"].map((gate) => room.alice.call("hold", [gate]));
    await room.release("two-b");
    await calls[1];
    await room.release("two-a");
    await room.release("two-c");
    await Promise.all(calls);
    expect(await room.trace()).toEqual([
      "begin two-a",
      "begin two-b",
      "end two-b",
      "begin two-c",
      "end two-a",
      "end two-c",
    ]);
  });

  it("wait in a queue of limited length, and those beyond it are refused", async () => {
    using room = await pair("slow", "queue");
    const held = room.alice.call("hold", ["queue"]);
    const calls = Array.from({ length: 7 }, (_, n) => room.alice.call("note", [`${n}`]));
    expect(code((await calls[6])!.error)).toEqual([-32005, "rate_limited"]);
    await room.release("queue");
    const outcomes = await Promise.all(calls);
    expect(outcomes.map(({ error }) => error?.data.code)).toEqual([
      ...Array(5).fill(undefined),
      "rate_limited",
      "rate_limited",
    ]);
    expect((await held).result).toBe("queue");
  });

  it("may use the id of a call that was refused for a full queue again", async () => {
    using room = await pair("slow", "again");
    const held = room.alice.call("hold", ["again"]);
    for (let n = 0; n < 5; n++) room.alice.send(notification("note", [`${n}`]));
    room.alice.send(request("x", "note", ["lost"]));
    expect((await room.alice.response("x")).error?.data.code).toBe("rate_limited");
    await room.release("again");
    await held;
    room.alice.send(request("x", "note", ["kept"]));
    const second = await room.alice.next((frame) => frame.id === "x" && frame.result === null);
    expect(second.error).toBeUndefined();
  });

  it("that were cancelled while they waited are over: their id and their place are free", async () => {
    using room = await pair("slow", "freed");
    const { alice } = room;
    const held = alice.call("hold", ["freed"]);
    for (let n = 0; n < 5; n++) alice.send(request(`${n}`, "note", [`first ${n}`]));
    alice.send(cancel("2"));
    alice.send(request("2", "note", ["second 2"]));
    const beyond = await alice.call("note", ["beyond the queue"]);
    expect(beyond.error?.data.code).toBe("rate_limited");
    await room.release("freed");
    await held;
    await alice.call("note", ["last"]);
    const answers = alice.heard.filter(({ id }) => id === "2");
    expect(answers.map(({ error }) => error?.data.code)).toEqual(["cancelled", undefined]);
    const notes = ["first 0", "first 1", "first 3", "first 4", "second 2", "last"];
    expect(await room.trace()).toEqual(["begin freed", "end freed", ...notes]);
  });

  it("are refused while a call with their id is open", async () => {
    using room = await pair("slow", "twice");
    room.alice.send(request(7, "hold", ["twice"]));
    room.alice.send(request(7, "note", ["never"]));
    const refused = await room.alice.next((frame) => frame.id === 7);
    expect(code(refused.error)).toEqual([-32600, "duplicate_id"]);
    await room.release("twice");
    expect((await room.alice.next((frame) => frame.id === 7)).result).toBe("twice");
    expect(await room.trace()).toEqual(["begin twice", "end twice"]);
  });

  it("tell 7 from “7”", async () => {
    using room = await pair("slow", "types");
    room.alice.send(request(7, "hold", ["types"]));
    room.alice.send(request("7", "note", ["other"]));
    await room.release("types");
    expect((await room.alice.next((frame) => frame.id === "7")).error).toBeUndefined();
  });

  it("are not answered where they have no id", async () => {
    using room = await pair("slow", "silent");
    for (const method of ["note", "missing", "fail"]) room.alice.send(notification(method, ["x"]));
    room.alice.send(notification("note", [1, 2, 3]));
    await room.alice.call("note", ["barrier"]);
    const answers = room.alice.heard.filter((frame) => !frame.method);
    expect(answers).toMatchObject([{ id: "c1", result: null }]);
    expect(await room.trace()).toEqual(["x", "barrier"]);
  });
});

describe("$/cancelRequest", () => {
  it("answers a waiting call, which then never begins", async () => {
    using room = await pair("slow", "waiting");
    room.alice.send(request("held", "hold", ["waiting"]));
    room.alice.send(request("w", "note", ["never"]));
    room.alice.send(cancel("w"));
    expect(code((await room.alice.response("w")).error)).toEqual([-32800, "cancelled"]);
    await room.release("waiting");
    await room.alice.call("note", ["after"]);
    expect(await room.trace()).toEqual(["begin waiting", "end waiting", "after"]);
  });

  it("answers a running call at once and aborts its signal", async () => {
    using room = await pair("slow", "running");
    room.alice.send(request("r", "untilAborted"));
    room.alice.send(cancel("r"));
    expect(code((await room.alice.response("r")).error)).toEqual([-32800, "cancelled"]);
    await room.alice.call("note", ["after"]);
    expect(await room.trace()).toEqual(["aborted", "after"]);
    expect(room.alice.heard.filter(({ id }) => id === "r")).toHaveLength(1);
  });

  it("ignores ids that nobody uses, and another connection's", async () => {
    using room = await pair("slow", "unknown");
    room.alice.send(request("mine", "hold", ["unknown"]));
    room.bob.send(cancel("mine"));
    for (const id of ["none", 1, null, "__proto__"]) room.bob.send(cancel(id));
    await room.release("unknown");
    expect((await room.alice.response("mine")).result).toBe("unknown");
    expect(room.bob.heard.filter((frame) => frame.error)).toEqual([]);
  });
});

describe("errors", () => {
  it("keep the code of a HubError, and say nothing of any other", async () => {
    using room = await pair("slow", "errors");
    expect((await room.alice.call("fail", ["out_of_stock"])).error).toEqual({
      code: -32000,
      message: "As asked.",
      data: { code: "out_of_stock" },
    });
    expect((await room.alice.call("fail", ["secret"])).error).toEqual({
      code: -32603,
      message: "The server failed; its log has the details.",
      data: { code: "internal" },
    });
  });

  it("answer a result that JSON cannot hold as internal, once", async () => {
    using room = await pair("slow", "bigint");
    expect(code((await room.alice.call("unencodable")).error)).toEqual([-32603, "internal"]);
  });
});
