// Uploads: how their items are sent, how they end, and that they respect the socket's send buffer.

import { describe, expect, it } from "vitest";
import { HubError } from "../../../src/client/index.ts";
import type { TestHub } from "../hubs.ts";
import { collect, connectedClient, outcomeOf, advance, type FakeServer } from "../server.ts";

const items = ({ socket }: FakeServer) =>
  socket.sentMessages.flatMap(({ method, params }) =>
    method === "$/item" ? [(params as { item: unknown }).item] : [],
  );
const ends = ({ socket }: FakeServer) =>
  socket.sentMessages.flatMap(({ method, params }) => (method === "$/end" ? [params] : []));

async function* upTo(count: number) {
  for (let n = 1; n <= count; n += 1) yield n;
}

/** A source without items, which records whether it was stopped. */
function endless() {
  const source = {
    isStopped: false,
    next: () => new Promise<IteratorResult<number>>(() => {}),
    return: async () => {
      source.isStopped = true;
      return { done: true as const, value: undefined };
    },
    [Symbol.asyncIterator]: () => source,
  };
  return source;
}

interface Waiting {
  readonly abort: AbortController;
  readonly client: { close(): void };
}

type Refusing = Awaited<ReturnType<typeof connectedClient<TestHub>>> & Pick<Waiting, "abort">;

function waitWithACall({ client, server }: Refusing): void {
  server.socket.end();
  void client.invoke.sum(upTo(1)).catch(() => {});
}

describe("an upload", () => {
  it("stands among the arguments by its id, and its items follow", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const sum = client.invoke.sum(upTo(2));
    await advance();
    expect(server.socket.sentMessages).toEqual([
      { jsonrpc: "2.0", id: "c1", method: "sum", params: [{ $stream: "c2" }] },
      { jsonrpc: "2.0", method: "$/item", params: { stream: "c2", item: 1 } },
      { jsonrpc: "2.0", method: "$/item", params: { stream: "c2", item: 2 } },
      { jsonrpc: "2.0", method: "$/end", params: { stream: "c2" } },
    ]);
    server.socket.deliver({ id: "c1", result: 3 });
    expect(await sum).toBe(3);
  });

  it("reads a ReadableStream, where those cannot be iterated, too", async () => {
    const { server, client } = await connectedClient<TestHub>();
    let count = 0;
    const stream = new ReadableStream<number>({
      pull: (controller) => (count < 3 ? controller.enqueue(++count) : controller.close()),
    });
    const bare = { getReader: () => stream.getReader() } as unknown as AsyncIterable<number>;
    void client.invoke.sum(bare).catch(() => {});
    await advance();
    expect(items(server)).toEqual([1, 2, 3]);
    expect(ends(server)).toEqual([{ stream: "c2" }]);
  });

  it("travels a hundred items at a time, and lets the reader breathe between", async () => {
    const { server, client } = await connectedClient<TestHub>();
    server.socket.bufferedAmount = 65_537;
    void client.invoke.sum(upTo(250)).catch(() => {});
    await advance(100);
    expect(items(server)).toHaveLength(100);
    expect(server.socket.frames.length).toBeLessThan(4);
    server.socket.bufferedAmount = 65_536;
    await advance(100);
    expect(items(server)).toEqual(await collect(upTo(250)));
    expect(ends(server)).toHaveLength(1);
  });

  it("that breaks fails its call with its own error, and the server is told", async () => {
    const { server, client } = await connectedClient<TestHub>();
    async function* broken() {
      yield 1;
      throw new HubError("sensor_lost", "The sensor is gone.");
    }
    const sum = outcomeOf(client.invoke.sum(broken()));
    await advance();
    expect(await sum).toEqual({ code: "sensor_lost" });
    expect(ends(server)).toEqual([{ stream: "c2", error: "The sensor is gone." }]);
  });

  it("that breaks cancels its call, whose method may be reading another", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const [taken, source] = [new ReadableStream<number>(), endless()];
    taken.getReader();
    const sum = client.invoke.sumBoth(source, taken);
    expect(await outcomeOf(sum)).toEqual({ code: expect.stringContaining("locked") });
    await advance();
    expect(source.isStopped).toBe(true);
    expect(ends(server)).toEqual([{ stream: "c3", error: expect.stringContaining("locked") }]);
    const { method, params } = server.socket.sentMessages.at(-1)!;
    expect([method, params]).toEqual(["$/cancelRequest", { id: "c1" }]);
  });

  it("that breaks cancels its call also where nothing waits for a response", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const [taken, source] = [new ReadableStream<number>(), endless()];
    taken.getReader();
    client.send.sumBoth(source, taken);
    await advance();
    expect(source.isStopped).toBe(true);
    const { method, params } = server.socket.sentMessages.at(-1)!;
    expect([method, params]).toEqual(["$/cancelRequest", { id: "c1" }]);
  });

  it("whose source fails because its call was cancelled has no end", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const abort = new AbortController();
    const { promise, reject } = Promise.withResolvers<number>();
    abort.signal.addEventListener("abort", () => reject(abort.signal.reason));
    async function* fetched() {
      yield await promise;
    }
    const sum = outcomeOf(client.with({ signal: abort.signal }).invoke.sum(fetched()));
    await advance();
    abort.abort();
    expect(await sum).toEqual({ code: "cancelled" });
    await advance();
    expect(ends(server)).toEqual([]);
  });

  it.each<[string, (client: Waiting) => void, string]>([
    ["is cancelled", ({ abort }) => abort.abort(), "cancelled"],
    ["has no answer in time", () => void advance(1_000), "timed_out"],
    ["outlives its connection", ({ client }) => client.close(), "closed"],
  ])("of a call that waits and %s is stopped, and never sent", async (_, end, code) => {
    const { client, server } = await connectedClient<TestHub>();
    server.socket.end();
    const abort = new AbortController();
    const reasons: string[] = [];
    const stream = new ReadableStream<number>({ cancel: () => void reasons.push("stream") });
    const source = endless();
    const { invoke } = client.with({ signal: abort.signal, timeoutSeconds: 1 });
    const sum = outcomeOf(invoke.sumBoth(source, stream));
    end({ abort, client });
    expect(await sum).toEqual({ code });
    await advance();
    expect([source.isStopped, reasons]).toEqual([true, ["stream"]]);
  });

  it.each<[string, (parts: Refusing) => void, string]>([
    ["was cancelled before", ({ abort }) => abort.abort(), "cancelled"],
    ["does not fit into the queue", waitWithACall, "queue_full"],
    ["is too large", () => {}, "too_large"],
    ["comes after the end", ({ client }) => client.close(), "closed"],
  ])("of a call that %s is stopped", async (_, prepare, code) => {
    const connected = await connectedClient<TestHub>({ queue: 1, messageBytes: 300 });
    const abort = new AbortController();
    prepare({ ...connected, abort });
    const source = endless();
    const large = "x".repeat(300) as unknown as typeof source;
    const { invoke } = connected.client.with({ signal: abort.signal });
    expect(await outcomeOf(invoke.sumBoth(source, large))).toEqual({ code });
    await advance();
    expect(source.isStopped).toBe(true);
  });

  it("with an item that is too large fails its call, and stops", async () => {
    const { server, client } = await connectedClient<TestHub>({ messageBytes: 200 });
    let isStopped = false;
    async function* large() {
      try {
        yield "x".repeat(200) as unknown as number;
      } finally {
        isStopped = true;
      }
    }
    expect(await outcomeOf(client.invoke.sum(large()))).toEqual({ code: "too_large" });
    await advance();
    expect([ends(server).length, isStopped]).toEqual([1, true]);
  });

  it("that cannot be read fails its call, and the server does not wait for it", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const taken = new ReadableStream<number>();
    taken.getReader();
    expect(await outcomeOf(client.invoke.sum(taken))).toEqual({
      code: expect.stringContaining("locked"),
    });
    await advance();
    expect(ends(server)).toEqual([{ stream: "c2", error: expect.stringContaining("locked") }]);
  });

  it("stops when its call is answered", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const source = endless();
    const sum = client.invoke.sum(source);
    await advance();
    server.socket.deliver({ id: "c1", result: 0 });
    await sum;
    expect(source.isStopped).toBe(true);
    expect(ends(server)).toEqual([]);
  });

  it.each([
    { end: "a result", answer: { result: 0 } },
    { end: "an error", answer: { error: { code: -32_000, message: "No." } } },
  ])("stops with the other of a call that nobody awaits, at $end", async ({ answer }) => {
    const { server, client } = await connectedClient<TestHub>();
    const [source, other] = [endless(), endless()];
    client.send.sumBoth(source, other);
    await advance();
    server.socket.deliver({ id: "c1", ...answer });
    await advance();
    expect([source.isStopped, other.isStopped]).toEqual([true, true]);
  });

  it.each(["invoke", "send"] as const)("of %s stops when its connection is lost", async (verb) => {
    const { server, client } = await connectedClient<TestHub>();
    const source = endless();
    const outcome = outcomeOf(Promise.resolve(client[verb].sum(source)));
    await advance();
    server.socket.end();
    await advance(500);
    server.socket.greet();
    await advance();
    expect(source.isStopped).toBe(true);
    expect(await outcome).toEqual(verb === "send" ? { value: undefined } : { code: "interrupted" });
    expect(server.socket.sentMessages).toEqual([]);
  });

  it("that waits for a full socket ends with its connection", async () => {
    const { server, client } = await connectedClient<TestHub>();
    let isStopped = false;
    async function* source() {
      try {
        yield* upTo(250);
      } finally {
        isStopped = true;
      }
    }
    void client.invoke.sum(source()).catch(() => {});
    server.socket.bufferedAmount = 65_537;
    await advance(100);
    client.close();
    await advance(100);
    expect(isStopped).toBe(true);
  });

  it("begins when its call goes out, not before", async () => {
    const { server, client } = await connectedClient<TestHub>();
    server.socket.end();
    let isRead = false;
    async function* source() {
      isRead = true;
      yield 1;
    }
    void client.invoke.sum(source()).catch(() => {});
    await advance(400);
    expect(isRead).toBe(false);
    await advance(100);
    server.socket.greet();
    await advance();
    expect(items(server)).toEqual([1]);
  });
});
