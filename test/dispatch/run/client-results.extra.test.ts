// Hub code asks clients: the caller, and any other connection, wherever its socket is.

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { enter, roomAt, type Client } from "../../rooms/client.ts";
import { answer, refusal, request } from "../frames.ts";

/** Answers every question, as long as the client lives. */
async function answering(client: Client, say: (id: unknown) => object): Promise<void> {
  for (;;) client.send(say((await client.said("confirm")).id));
}

const outcome = ({ result, error }: Awaited<ReturnType<Client["call"]>>) =>
  error ? error.data.code : result;

/** As a crash or a deploy does. */
const reset = (room: string) =>
  runInDurableObject(roomAt(room), (_, state) => state.abort("reset by a test")).catch(() => {});

const idOf = (client: Client): string => client.hello.params.connectionId;

describe("the caller", () => {
  it("is asked by a call with an id, and its answer is the hub's", async () => {
    using alice = await enter("ask/group:a");
    alice.send(request("q", "askMe", ["sure?"]));
    const question = await alice.said("confirm");
    expect(question).toEqual({
      jsonrpc: "2.0",
      id: expect.any(String),
      method: "confirm",
      params: ["sure?"],
    });
    alice.send(answer(question.id, true));
    expect((await alice.response("q")).result).toBe(true);
  });

  it.each([
    ["a wrong answer", (id: unknown) => answer(id, "yes"), "invalid_arguments"],
    ["null", (id: unknown) => answer(id, null), "invalid_arguments"],
    ["a refusal", (id: unknown) => refusal(id, "leave me"), "client_error"],
  ])("that gives %s fails the call", async (_, say, code) => {
    using alice = await enter("ask/group:b");
    void answering(alice, say);
    expect(outcome(await alice.call("askMe", ["sure?"]))).toBe(code);
  });

  it("that does not answer fails the call with timed_out", async () => {
    using alice = await enter("ask/group:c");
    expect(outcome(await alice.call("askMe", ["sure?"]))).toBe("timed_out");
  });

  it("may call the hub before it answers", async () => {
    using alice = await enter("ask/group:d");
    alice.send(request("q", "askMe", ["sure?"]));
    const question = await alice.said("confirm");
    expect(outcome(await alice.call("echo", ["first"]))).toBe("first");
    alice.send(answer(question.id, false));
    expect((await alice.response("q")).result).toBe(false);
  });

  it("is asked by no more calls at once than may wait, and by the others later", async () => {
    using alice = await enter("ask-few/group:crowd");
    const calls = Array.from({ length: 30 }, (_, n) => alice.call("askMe", [`${n}`]));
    const codes = (await Promise.all(calls)).map(outcome);
    expect(codes).toEqual(codes.map(() => "timed_out"));
    const before = alice.heard.slice(
      0,
      alice.heard.findIndex(({ error }) => error),
    );
    expect(before.filter(({ method }) => method === "confirm")).toHaveLength(21);
    expect(alice.messages("confirm")).toHaveLength(30);
  });

  it("gets its turn back but once, however often it is asked", async () => {
    using alice = await enter("ask/group:e");
    void answering(alice, (id) => answer(id, true));
    const outcomes = [1, 2, 3].map((n) => alice.call(n === 2 ? "echo" : "askMe", [`${n}`]));
    expect((await Promise.all(outcomes)).map(outcome)).toEqual([true, "2", true]);
  });
});

describe.each([
  ["in the same room", "ask/group:same"],
  ["in another room's object", "ask/group:other"],
])("a connection %s", (_, place) => {
  const pair = async () => {
    const alice = await enter("ask/group:same", { user: "alice" });
    const bob = await enter(place, { user: "bob" });
    const end = () => [alice, bob].forEach((client) => client[Symbol.dispose]());
    return { alice, bob, [Symbol.dispose]: end };
  };

  it("is asked, and its answer is the hub's", async () => {
    using both = await pair();
    void answering(both.bob, (id) => answer(id, true));
    expect(outcome(await both.alice.call("askOther", [idOf(both.bob), "sure?"]))).toBe(true);
    expect(both.alice.messages("confirm")).toEqual([]);
  });

  it.each([
    ["invalid_arguments", (id: unknown) => answer(id, 1)],
    ["client_error", (id: unknown) => refusal(id, "no")],
  ])("fails the call with %s", async (code, say) => {
    using both = await pair();
    void answering(both.bob, say);
    expect(outcome(await both.alice.call("askOther", [idOf(both.bob), "sure?"]))).toBe(code);
  });

  it("that does not answer fails the call with timed_out", async () => {
    using both = await pair();
    expect(outcome(await both.alice.call("askOther", [idOf(both.bob), "sure?"]))).toBe("timed_out");
  });

  it("that goes away fails the call with interrupted", async () => {
    using both = await pair();
    const asked = both.alice.call("askOther", [idOf(both.bob), "sure?"]);
    await both.bob.said("confirm");
    both.bob.socket.close(1000);
    expect(outcome(await asked)).toBe("interrupted");
  });

  it("is told what needs no answer", async () => {
    using both = await pair();
    await both.alice.call("tellOther", [idOf(both.bob), "psst"]);
    expect((await both.bob.said("told")).params).toEqual(["psst"]);
  });

  it("that is gone is not found", async () => {
    using both = await pair();
    const id = idOf(both.bob);
    both.bob.socket.close(1000);
    await both.bob.closed;
    expect(outcome(await both.alice.call("askOther", [id, "?"]))).toBe("connection_not_found");
    expect((await both.alice.call("tellOther", [id, "?"])).error).toBeUndefined();
  });

  it("cannot answer a question to another", async () => {
    using both = await pair();
    const asked = both.alice.call("askMe", ["sure?"]);
    const { id } = await both.alice.said("confirm");
    both.bob.send(answer(id, false));
    await both.bob.call("echo", ["barrier"]);
    both.alice.send(answer(id, true));
    expect(outcome(await asked)).toBe(true);
  });
});

it.each(["", "nobody", "x@group:same", "__proto__", `${"A".repeat(22)}@group:empty`])(
  "there is no connection %j",
  async (id) => {
    using alice = await enter("ask/group:none");
    expect(outcome(await alice.call("askOther", [id, "?"]))).toBe("connection_not_found");
  },
);

it("a connection of an object that is reset fails the call with interrupted", async () => {
  using alice = await enter("ask/group:kept", { user: "alice" });
  using bob = await enter("ask/group:reset", { user: "bob" });
  const asked = alice.call("askOther", [idOf(bob), "sure?"]);
  await bob.said("confirm");
  await reset("ask/group:reset");
  expect(outcome(await asked)).toBe("interrupted");
  expect(outcome(await alice.call("askOther", [idOf(bob), "?"]))).toBe("connection_not_found");
});

it("code that does not wait for what it tells nobody makes no unhandled rejection", async () => {
  using alice = await enter("ask/group:anyhow");
  const unhandled: unknown[] = [];
  const note = (event: PromiseRejectionEvent) => void unhandled.push(event.reason);
  addEventListener("unhandledrejection", note);
  expect(outcome(await alice.call("tellAnyhow", [`${"A".repeat(22)}@group:anyhow`]))).toBe(null);
  await alice.call("echo", ["barrier"]);
  removeEventListener("unhandledrejection", note);
  expect(unhandled).toEqual([]);
});

describe("what is said to one connection", () => {
  it("may not be the protocol's own word, or larger than a message to a room", async () => {
    using alice = await enter("meddling/group:told", { user: "alice" });
    using bob = await enter("meddling/group:told", { user: "bob" });
    const outcomes = [
      await alice.call("tellAs", [idOf(bob), "$/reset", "x"]),
      await alice.call("tellMuch", [idOf(bob), 256 * 1024]),
      await alice.call("askMuch", [idOf(bob), 256 * 1024]),
      await alice.call("tellMuch", [idOf(bob), 256 * 1024 - 4]),
    ];
    expect(outcomes.map(outcome)).toEqual(["invalid_request", "too_large", "too_large", null]);
    await bob.said("told");
    const methods = bob.heard.map(({ method }) => method).filter((one) => one !== "$/presence");
    expect(methods).toEqual(["$/connected", "told"]);
  });

  it("may not be either where it lives in another room", async () => {
    using alice = await enter("meddling/group:told-home", { user: "alice" });
    using bob = await enter("meddling/group:told-away", { user: "bob" });
    const outcomes = [
      await alice.call("tellAs", [idOf(bob), "$/reset", "x"]),
      await alice.call("tellMuch", [idOf(bob), 256 * 1024]),
      await alice.call("tellAs", [idOf(bob), "told", "x"]),
    ];
    expect(outcomes.map(outcome)).toEqual(["invalid_request", "too_large", null]);
    await bob.said("told");
    const methods = bob.heard.map(({ method }) => method).filter((one) => one !== "$/presence");
    expect(methods).toEqual(["$/connected", "told"]);
  });
});
