// Streams to a client: items, then the response.

import { describe, expect, it } from "vitest";
import { enter, type Client, type Frame } from "../../rooms/client.ts";
import { connected } from "../../rooms/relay/client.ts";
import { cancel, notification, request } from "../frames.ts";

const itemsOf = (client: Client, id: string) =>
  client.messages("$/item").flatMap(({ params }) => (params.id === id ? [params.item] : []));

const isItem = (id: string) => (frame: Frame) =>
  frame.method === "$/item" && frame.params.id === id;

const answersTo = (client: Client, id: string) =>
  client.heard.filter((frame) => frame.id === id && !frame.method);

describe("a method that gives items", () => {
  it("is refused with a sentence, in JSON-RPC and in SignalR", async () => {
    using alice = await enter("streams/group:given");
    const { error } = await alice.call("given");
    const sentence = (name: string) =>
      `The value returned by the non-streaming method '${name}' is a stream of items.`;
    expect(error).toMatchObject({ message: sentence("given"), data: { code: "wrong_kind" } });
    using bob = await connected("streams");
    expect((await bob.call("Given")).error).toBe(sentence("Given"));
  });
});

describe("a stream", () => {
  it("sends its items in order, and then the response", async () => {
    using alice = await enter("streams/group:a");
    alice.send(request("s", "count", [100]));
    expect(await alice.response("s")).toEqual({ jsonrpc: "2.0", id: "s", result: null });
    expect(itemsOf(alice, "s")).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    const [last] = alice.heard.slice(-1);
    expect(last!.id).toBe("s");
  });

  it("called without an id is not begun", async () => {
    using alice = await enter("streams/group:b");
    alice.send(notification("busy"));
    expect((await alice.call("trace")).result).toEqual([]);
    expect(alice.messages("$/item")).toEqual([]);
  });

  it.each([
    ["out_of_stock", -32000],
    ["secret", -32603],
  ])("that throws %s keeps the items it sent and fails with %i", async (code, number) => {
    using alice = await enter("streams/group:c");
    alice.send(request("s", "breaks", [code]));
    expect((await alice.response("s")).error!.code).toBe(number);
    expect(itemsOf(alice, "s")).toEqual([1]);
    expect(alice.frames.join()).not.toContain("secret of");
  });

  it("with an item that JSON cannot hold fails there, once", async () => {
    using alice = await enter("streams/group:d");
    alice.send(request("s", "mixed"));
    await alice.response("s");
    await alice.call("trace");
    expect(answersTo(alice, "s").map(({ error }) => error?.data.code)).toEqual(["internal"]);
    expect(itemsOf(alice, "s")).toEqual([1]);
  });

  it("that never waits does not starve the room", async () => {
    using alice = await enter("streams/group:e", { user: "alice" });
    using bob = await enter("streams/group:e", { user: "bob" });
    alice.send(request("s", "busy"));
    await alice.next(isItem("s"));
    for (let n = 0; n < 5; n++) expect((await bob.call("trace")).result).toEqual([]);
    alice.send(cancel("s"));
    expect((await alice.response("s")).error!.code).toBe(-32800);
  });

  it("that is cancelled ends its generator and sends no more", async () => {
    using alice = await enter("streams/group:f", { user: "alice" });
    alice.send(request("s", "busy"));
    await alice.next(isItem("s"));
    alice.send(cancel("s"));
    await alice.response("s");
    const { length } = itemsOf(alice, "s");
    // The generator may end behind the answer.
    await expect.poll(async () => (await alice.call("trace")).result).toEqual(["busy ended"]);
    expect(itemsOf(alice, "s")).toHaveLength(length);
    expect(answersTo(alice, "s")).toHaveLength(1);
  });

  it("whose generator does not stop is answered all the same when cancelled", async () => {
    using alice = await enter("streams/group:g", { user: "alice" });
    alice.send(request("s", "stuck"));
    await alice.next(isItem("s"));
    alice.send(cancel("s"));
    expect((await alice.response("s")).error!.code).toBe(-32800);
    expect((await alice.call("trace")).result).toEqual(["stuck aborted"]);
  });

  it("ends when its connection closes", async () => {
    using bob = await enter("streams/group:h", { user: "bob" });
    const alice = await enter("streams/group:h", { user: "alice" });
    alice.send(request("s", "busy"));
    alice.send(request("t", "stuck"));
    await alice.next(isItem("s"));
    alice.socket.close(1000);
    await alice.closed;
    const seen: string[] = [];
    while (seen.length < 2) seen.push(...((await bob.call("trace")).result as string[]));
    expect(seen.toSorted()).toEqual(["busy ended", "stuck aborted"]);
  });

  it("runs beside calls, and calls beside it", async () => {
    using alice = await enter("streams/group:i");
    alice.send(request("s", "stuck"));
    expect((await alice.call("trace")).result).toEqual([]);
  });
});

describe("the streams of one connection", () => {
  it("are 20 at most, and one that ended makes room", async () => {
    using alice = await enter("streams/group:j");
    for (let n = 0; n < 21; n++) alice.send(request(`s${n}`, "stuck"));
    expect((await alice.response("s20")).error).toMatchObject({
      code: -32000,
      data: { code: "too_many_streams" },
    });
    alice.send(cancel("s3"));
    await alice.response("s3");
    alice.send(request("s21", "count", [1]));
    expect((await alice.response("s21")).result).toBeNull();
  });

  it("may have ids as long as ids may be", async () => {
    using alice = await enter("streams/group:k", { claims: { text: "x".repeat(5_000) } });
    const ids = Array.from({ length: 20 }, (_, n) => "\u0001".repeat(126) + String(n + 10));
    for (const id of ids) alice.send(request(id, "stuck"));
    for (const id of ids) await alice.next(isItem(id));
    expect(alice.heard.filter(({ error }) => error)).toEqual([]);
  });

  it("do not share an id", async () => {
    using alice = await enter("streams/group:l");
    alice.send(request("s", "stuck"));
    alice.send(request("s", "count", [3]));
    expect((await alice.response("s")).error!.data.code).toBe("duplicate_id");
    for (let n = 0; n < 25; n++) alice.send(request("s", "count", [3])); // none of these counts as open
    alice.send(request("t", "count", [1]));
    expect((await alice.response("t")).result).toBeNull();
  });
});
