// Batches, and how many calls a connection may make.

import { describe, expect, it } from "vitest";
import { enter, type Frame } from "../../rooms/client.ts";
import { notification, request } from "../frames.ts";

/** The frames that came after `from` and hold answers. */
const answersIn = (frames: readonly string[]): Frame[][] =>
  frames
    .map((frame) => JSON.parse(frame) as Frame | Frame[])
    .flatMap((value) => (Array.isArray(value) ? [value] : []))
    .map((records) => records.filter((record) => !record.method))
    .filter((records) => records.length > 0);

const batched = async (batch: unknown[], done: (frame: Frame) => boolean) => {
  using alice = await enter("slow/group:batches", { user: crypto.randomUUID() });
  alice.send(batch);
  await alice.next(done);
  return answersIn(alice.frames);
};

describe("a batch", () => {
  it("is answered in one array, in its order, whatever ends first", async () => {
    using bob = await enter("parallel/group:batch", { user: "bob" });
    using alice = await enter("parallel/group:batch", { user: "alice" });
    alice.send([request(1, "hold", ["batch"]), request(2, "note", ["x"]), notification("trace")]);
    await bob.call("release", ["batch"]);
    await alice.next(({ id }) => id === 2);
    expect(answersIn(alice.frames)).toEqual([
      [
        { jsonrpc: "2.0", id: 1, result: "batch" },
        { jsonrpc: "2.0", id: 2, result: null },
      ],
    ]);
  });

  it("answers its malformed elements in their places", async () => {
    const [answers] = await batched(
      [1, request("a", "note", ["x"]), { jsonrpc: "1.0", id: "b", method: "note" }, [], null],
      ({ id }) => id === "a",
    );
    expect(answers!.map(({ id, error }) => [id, error?.code ?? "ok"])).toEqual([
      [null, -32600],
      ["a", "ok"],
      ["b", -32600],
      [null, -32600],
      [null, -32600],
    ]);
  });

  it("of one is answered by an array of one", async () => {
    expect(await batched([request("a", "note", ["x"])], ({ id }) => id === "a")).toEqual([
      [{ jsonrpc: "2.0", id: "a", result: null }],
    ]);
  });

  it("of notifications is answered by nothing", async () => {
    using alice = await enter("slow/group:quiet", { user: "alice" });
    alice.send([notification("note", ["a"]), notification("missing"), notification("note", ["b"])]);
    expect((await alice.call("trace")).result).toEqual(["a", "b"]);
    expect(alice.heard.filter((frame) => !frame.method)).toHaveLength(1);
  });

  it("holds failures, refusals and results that JSON cannot hold among the answers", async () => {
    const batch = [
      request(1, "fail", ["gone"]),
      request(2, "missing"),
      request(3, "unencodable"),
      request(4, "note", ["x"]),
      request(4, "note", ["x"]),
    ];
    const [answers] = await batched(batch, ({ id }) => id === 4);
    expect(answers!.map(({ id, error }) => [id, error?.data.code ?? "ok"])).toEqual([
      [1, "gone"],
      [2, "method_not_found"],
      [3, "internal"],
      [4, "ok"],
      [4, "duplicate_id"],
    ]);
  });

  it("of none, or of more than 100, is refused as a whole", async () => {
    using alice = await enter("slow/group:much", { user: "alice" });
    alice.send([]);
    alice.send(Array.from({ length: 101 }, () => notification("note", ["x"])));
    alice.send(request("end", "trace"));
    expect((await alice.response("end")).result).toEqual([]);
    const refused = alice.heard.filter(({ error }) => error);
    expect(refused.map(({ id, error }) => [id, error!.code])).toEqual([
      [null, -32600],
      [null, -32006],
    ]);
  });
});

describe("the rate of calls", () => {
  it("is limited for each connection: a burst of 100, then rate_limited", async () => {
    using alice = await enter("ask/group:rate", { user: "alice" });
    using bob = await enter("ask/group:rate", { user: "bob" });
    const calls = Array.from({ length: 130 }, (_, n) => request(n, "echo", [n]));
    alice.send(calls.slice(0, 65));
    alice.send(calls.slice(65));
    const echo = await bob.call("echo", ["fine"]);
    expect(echo.result).toBe("fine");
    await alice.next(({ id }) => id === 129);
    const answers = alice.heard.filter(({ id }) => typeof id === "number");
    const refused = answers.filter(({ error }) => error);
    expect(answers).toHaveLength(130);
    expect(refused.length).toBeGreaterThanOrEqual(20); // 50 a second come back meanwhile
    expect(refused.every(({ error }) => error!.code === -32005)).toBe(true);
    expect(answers.slice(0, 100).every(({ error }) => !error)).toBe(true);
  });
});
