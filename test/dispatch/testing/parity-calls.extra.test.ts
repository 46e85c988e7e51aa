// A world behaves as the engine does: calls, streams, client results, history, and how connections begin and end.

import { describe, expect, it } from "vitest";
import { saidTo, STAGES, type Stage } from "./stages.ts";

const ROOM = "group:lobby";

/** The code with which a connection is refused. */
const refusalOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "admitted",
    ({ code, message }: { code?: string; message: string }) =>
      code ?? /"code":"(\w+)"/.exec(message)?.[1] ?? message,
  );

describe.each(STAGES)("in %s, calls", (_, stageOf) => {
  it.each([
    ["a method that the hub does not have", "missing", [], "error:method_not_found"],
    ["an argument of another type", "say", ["lobby", 1], "error:invalid_arguments"],
    ["an argument too many", "kept", ["a", "b"], "error:invalid_arguments"],
    ["a stream that is called like a method", "count", [-1, "over"], "error:over"],
    ["an error of the hub", "fail", ["teapot"], "error:teapot"],
    ["a fault of the hub", "fail", ["bug"], "error:internal"],
    ["a message that is too large", "sayLong", ["lobby", 3_000], "error:too_large"],
    ["the name of a group that is none", "say", ["", "x"], "error:invalid_name"],
    ["a connection that there is not", "askOther", ["nobody", "?"], "error:connection_not_found"],
    ["values that JSON has not", "dated", [], { at: "1970-01-01T00:00:00.000Z", list: [1, null] }],
  ])("with %s are answered alike", async (__, method, args, answer) => {
    const alice = await stageOf().connect({ user: "alice" });
    expect(await alice.call(method, ...args)).toEqual(answer);
  });

  it("beyond the limit of groups are refused, and an own room is none to leave", async () => {
    const alice = await stageOf().connect({ user: "alice", room: ROOM });
    for (const group of ["a", "b", "c"]) expect(await alice.call("join", group)).toBeNull();
    expect(await alice.call("join", "d")).toBe("error:too_many_groups");
    expect(await alice.call("join", "lobby")).toBeNull();
    expect(await alice.call("leave", "lobby")).toBe("error:invalid_request");
  });

  it("stream items, which end, fail or are broken off", async () => {
    const alice = await stageOf().connect({ user: "alice" });
    expect(await alice.read("count", [3, ""])).toEqual([1, 2, 3]);
    expect(await alice.read("count", [2, "over"])).toEqual([1, 2, "error:over"]);
    expect((await alice.read("forever", [], 40)).slice(-1)).toEqual([40]);
    expect(await alice.call("say", "x", "y")).toBe("done");
  });

  it("take streams, and refuse an item of another type", async () => {
    const alice = await stageOf().connect({ user: "alice" });
    expect(await alice.upload("sum", [1, 2, 3])).toBe(6);
    expect(await alice.upload("sum", [1, "two"])).toBe("error:invalid_item");
  });

  it("keep items between them", async () => {
    const alice = await stageOf().connect({ user: "alice" });
    await alice.call("keep", "at", { n: [1] });
    expect(await alice.call("kept", "at")).toEqual({ n: [1] });
    expect(await alice.call("kept", "toString")).toBeNull();
    expect(await alice.call("keep", "at", "x".repeat(5_000))).toBe("error:too_large");
  });

  it.each([
    [true, true],
    ["wrong", "error:invalid_arguments"],
    ["refuse", "error:client_error"],
  ] as const)("that ask a client get its answer: %s", async (answer, outcome) => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice", answer });
    const bob = await stage.connect({ user: "bob" });
    expect(await alice.call("ask", "?")).toBe(outcome);
    expect(await bob.call("askOther", alice.id, "?")).toBe(outcome);
    expect(alice.transcript.filter((line) => line === "confirm(?)")).toHaveLength(2);
  });

  it("that ask a client which does not answer time out", async () => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice", answer: "ignore" });
    const asked = alice.call("ask", "?");
    await alice.saw("confirm(?)");
    await stage.pass();
    expect(await asked).toBe("error:timed_out");
  });
});

describe.each(STAGES)("in %s, history", (_, stageOf) => {
  /** A room in which `one`, `two` and `three` were said, and the position after `one`. */
  const spoken = async (stage: Stage, group = "lobby") => {
    const alice = await stage.connect({ user: "alice", room: `group:${group}` });
    await alice.call("say", group, "one");
    const { position } = alice;
    for (const text of ["two", "three"]) await alice.call("say", group, text);
    return { alice, position };
  };

  it("has what was said, and nothing of presence", async () => {
    const { alice } = await spoken(stageOf());
    expect(await alice.call("history", "lobby")).toEqual([
      ["said", "one"],
      ["said", "two"],
      ["said", "three"],
    ]);
  });

  it("is replayed to a client that joins from a position, and to one that comes back", async () => {
    const stage = stageOf();
    const { position } = await spoken(stage);
    const bob = await stage.connect({ user: "bob" });
    expect(await bob.join(ROOM, position)).toMatchObject({ recovered: true });
    expect(saidTo(bob)).toEqual(["said(two)", "said(three)"]);
    const carol = await stage.connect({ user: "carol", room: ROOM, since: position });
    await carol.saw(`said(three)@${ROOM}`);
    expect(saidTo(carol)).toEqual(["said(two)", "said(three)"]);
  });

  it("is not replayed from a position of another log, nor to users who may not read it", async () => {
    const stage = stageOf();
    await spoken(stage);
    const { position } = await spoken(stage, "private");
    const bob = await stage.connect({ user: "bob" });
    expect(await bob.join(ROOM, "other:1")).toEqual({ recovered: false, replayed: 0 });
    expect(await bob.join("group:private", position)).toEqual({ recovered: false, replayed: 0 });
    expect(saidTo(bob)).toEqual([]);
  });
});

describe.each(STAGES)("in %s, a connection", (_, stageOf) => {
  it("is refused by the hub's policy and by its rules of rooms", async () => {
    const stage = stageOf();
    expect(await refusalOf(stage.connect({ user: "eve", roles: ["Stranger"] }))).toBe("forbidden");
    expect(await refusalOf(stage.connect({ user: "eve", room: "group:staff" }))).toBe("forbidden");
    expect(await refusalOf(stage.connect({ user: "eve", room: "user:bob" }))).toBe("forbidden");
    const staff = { user: "bob", roles: ["Staff"] };
    expect(await refusalOf(stage.connect({ ...staff, room: "group:staff" }))).toBe("admitted");
    const bob = await stage.connect({ user: "bob" });
    expect(await bob.join("group:staff")).toBe("error:forbidden");
  });

  it("is greeted by the hub first of all", async () => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice" });
    await alice.saw("said(welcome alice to all)");
    const bob = await stage.connect({ user: "bob", room: ROOM });
    await bob.saw("said(welcome bob to lobby)");
    expect(bob.transcript).toEqual([`+bob@${ROOM}`, "said(welcome bob to lobby)"]);
  });

  it("is closed by the hub, and where the hub's beginning fails", async () => {
    const stage = stageOf();
    const alice = await stage.connect({ user: "alice" });
    void alice.call("end");
    expect(await alice.closed()).toBe(4501);
    const aborted = await stage.connect({ user: "bob", roles: ["Aborted"] });
    expect(await aborted.closed()).toBe(4501);
    const failing = await stage.connect({ user: "carol", roles: ["Failing"] });
    expect(await failing.closed()).toBe(4503);
  });

  it("that its hub has ended has no error, and one whose beginning failed is not told", async () => {
    const stage = stageOf();
    const watching = await stage.connect({ user: "watcher" });
    await watching.call("join", "watch");
    const failing = await stage.connect({ user: "carol", roles: ["Failing"] });
    await failing.closed();
    const alice = await stage.connect({ user: "alice" });
    void alice.call("end");
    await alice.closed();
    await watching.saw("said(gone alice )@group:watch");
    const bob = await stage.connect({ user: "bob" });
    await bob.close();
    await watching.saw("said(gone bob )@group:watch");
    expect(saidTo(watching)).toEqual(["said(gone alice )", "said(gone bob )"]);
  });
});
