// Calls from start to completion: lost connections, the queue without one, idempotency keys, signals and time limits.

import { describe, expect, it, vi } from "vitest";
import type { TestHub } from "../hubs.ts";
import {
  connectingClient,
  collect,
  connectedClient,
  outcomeOf,
  advance,
  type FakeServer,
} from "../server.ts";

const methods = ({ socket }: FakeServer) => socket.sentMessages.map(({ method }) => method);

/** The number of pings that every connection begins with. */
const FIRST_PING = 1;

/** Options of a listener. */
interface Lifetime {
  readonly signal: AbortSignal;
}

/** Loses the connection and opens the next one. */
async function reconnect(server: FakeServer): Promise<void> {
  server.socket.end();
  await advance(500);
  server.socket.greet({ recovered: true });
  await advance();
}

describe("a call", () => {
  it("is a request, and its answer the result", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const sum = client.invoke.add(1, 2);
    await advance();
    expect(server.socket.sentMessages).toEqual([
      { jsonrpc: "2.0", id: "c1", method: "add", params: [1, 2] },
    ]);
    server.socket.deliver({ id: "c1", result: 3 });
    expect(await sum).toBe(3);
  });

  it("rejects with the code of the error", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const call = client.invoke.say("hi");
    await advance();
    const error = { code: -32001, message: "Not for you.", data: { code: "forbidden" } };
    server.socket.deliver([{ id: "c1", error }]);
    await expect(call).rejects.toMatchObject({
      name: "HubError",
      code: "forbidden",
      message: "Not for you.",
    });
  });

  it("leaves arguments out that are left out at the end", async () => {
    const { server, client } = await connectedClient<TestHub>();
    void client.invoke.add(1, undefined).catch(() => {});
    await advance();
    expect(server.socket.sentMessages[0]).toMatchObject({ params: [1] });
  });

  it("that is too large is refused here, because the server could not say whose it was", async () => {
    const { server, client } = await connectedClient<TestHub>({ messageBytes: 1_000 });
    expect(await outcomeOf(client.invoke.say("é".repeat(500)))).toEqual({ code: "too_large" });
    void client.invoke.say("é".repeat(400)).catch(() => {});
    await advance();
    expect(methods(server)).toEqual(["say"]);
  });

  it("without an answer is a notification", async () => {
    const { server, client } = await connectedClient<TestHub>();
    client.send.say("hi");
    await advance();
    expect(server.socket.sentMessages).toEqual([{ jsonrpc: "2.0", method: "say", params: ["hi"] }]);
  });

  it("of the same moment goes out in order, one frame for each answer that is waited for", async () => {
    const { server, client } = await connectedClient<TestHub>();
    client.send.say("1");
    void client.invoke.say("2").catch(() => {});
    client.send.say("3");
    void client.invoke.say("4").catch(() => {});
    await advance();
    const frames = server.socket.frames
      .slice(FIRST_PING)
      .map((frame) =>
        [JSON.parse(frame) as { params: unknown[] }].flat().map(({ params }) => params[0]),
      );
    expect(frames).toEqual([["1", "2", "3"], ["4"]]);
  });

  it("made after the end is refused, and so is what waits at the end", async () => {
    const { client } = await connectingClient<TestHub>();
    const waiting = outcomeOf(client.invoke.say("hi"));
    client.close();
    expect(await waiting).toEqual({ code: "closed" });
    expect(await outcomeOf(client.invoke.say("hi"))).toEqual({ code: "closed" });
    expect(() => client.send.say("hi")).toThrow("closed");
  });
});

describe("a call without a connection", () => {
  it("waits for it, in order", async () => {
    const { server, client } = await connectingClient<TestHub>();
    void client.invoke.say("1").catch(() => {});
    client.send.say("2");
    void collect(client.stream.count(3)).catch(() => {});
    server.socket.accept();
    await advance();
    expect(server.socket.sentMessages).toEqual([]);
    server.socket.greet();
    await advance();
    expect(methods(server)).toEqual(["say", "say", "count"]);
  });

  it("goes out after what the application does when it is connected", async () => {
    const { server, client } = await connectingClient<TestHub>();
    client.onConnected(() => client.send.say("first"));
    client.send.say("second");
    server.socket.greet();
    await advance();
    expect(server.socket.sentMessages.map(({ params }) => params)).toEqual([["first"], ["second"]]);
  });

  it("is refused when too many wait", async () => {
    const { server, client } = await connectingClient<TestHub>({ queue: 2 });
    const calls = [client.invoke.say("1"), client.invoke.say("2"), client.invoke.say("3")];
    expect(await outcomeOf(calls[2]!)).toEqual({ code: "queue_full" });
    expect(() => client.send.say("4")).toThrow("2 calls are waiting");
    server.socket.greet();
    await advance();
    expect(methods(server)).toEqual(["say", "say"]);
    for (const { id } of server.socket.sentMessages)
      server.socket.deliver({ id: id!, result: null });
    await Promise.all(calls.slice(0, 2));
  });

  it("waits for the greeting where the socket is open already", async () => {
    const { server, client } = await connectingClient<TestHub>();
    server.socket.accept();
    void client.invoke.add(1, 2).catch(() => {});
    await advance();
    expect(methods(server)).toEqual([]);
    server.socket.greet();
    await advance();
    expect(methods(server)).toEqual(["add"]);
  });

  it("on a socket that is closing waits for the next one", async () => {
    const { server, client } = await connectedClient<TestHub>();
    server.socket.readyState = WebSocket.CLOSING;
    const sum = client.invoke.add(1, 2);
    await advance();
    await reconnect(server);
    const [call] = server.socket.sentMessages;
    server.socket.deliver({ id: call!.id!, result: 3 });
    expect(await sum).toBe(3);
  });

  it("that is cancelled at the last moment never goes out, nor does its cancellation", async () => {
    const { server, client } = await connectingClient<TestHub>();
    const controller = new AbortController();
    const call = outcomeOf(client.with({ signal: controller.signal }).invoke.say("hi"));
    client.onConnected(() => controller.abort());
    server.socket.greet();
    await advance();
    expect(await call).toEqual({ code: "cancelled" });
    expect(server.socket.sentMessages).toEqual([]);
  });

  it("that was cancelled while it waited never goes out", async () => {
    const { server, client } = await connectingClient<TestHub>();
    const controller = new AbortController();
    const call = client.with({ signal: controller.signal }).invoke.say("hi");
    controller.abort();
    expect(await outcomeOf(call)).toEqual({ code: "cancelled" });
    server.socket.greet();
    await advance();
    expect(server.socket.sentMessages).toEqual([]);
  });
});

describe("a call whose connection is lost", () => {
  it("rejects, because nobody knows what became of it", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const call = outcomeOf(client.invoke.say("hi"));
    await reconnect(server);
    expect(await call).toEqual({ code: "interrupted" });
    expect(methods(server)).toEqual([]);
  });

  it("is repeated under its key, before those that were made later", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const { invoke } = client.with({ idempotencyKey: "k" });
    const call = invoke.say("hi");
    await advance();
    const [first] = server.socket.sentMessages;
    server.socket.end();
    client.send.say("later");
    await advance(500);
    server.socket.greet();
    await advance();
    expect(server.socket.sentMessages).toEqual([
      { ...first, idempotencyKey: "k" },
      expect.objectContaining({ params: ["later"] }),
    ]);
    server.socket.deliver({ id: first!.id!, result: "done" });
    expect(await call).toBe("done");
  });

  it("is not repeated if it streams, in either direction", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const { invoke, stream } = client.with({ idempotencyKey: "k" });
    async function* numbers() {
      yield 1;
      await new Promise(() => {});
    }
    const sum = outcomeOf(invoke.sum(numbers()));
    const count = outcomeOf(stream.count(3)[Symbol.asyncIterator]().next());
    await reconnect(server);
    expect([await sum, await count]).toEqual([{ code: "interrupted" }, { code: "interrupted" }]);
    expect(methods(server)).toEqual([]);
  });
});

describe("a call that is cancelled", () => {
  it("by its signal rejects at once, the server is told, and its answer is no error", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const errors: unknown[] = [];
    client.onError((error) => errors.push(error));
    const controller = new AbortController();
    const call = outcomeOf(client.with({ signal: controller.signal }).invoke.say("hi"));
    await advance();
    controller.abort();
    expect(await call).toEqual({ code: "cancelled" });
    await advance();
    expect(server.socket.sentMessages[1]).toEqual({
      jsonrpc: "2.0",
      method: "$/cancelRequest",
      params: { id: "c1" },
    });
    server.socket.deliver({ id: "c1", error: { code: -32800, message: "", data: {} } });
    expect(errors).toEqual([]);
  });

  it("before it is made is not made", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const { invoke } = client.with({ signal: AbortSignal.abort() });
    expect(await outcomeOf(invoke.say("hi"))).toEqual({ code: "cancelled" });
    expect(server.socket.sentMessages).toEqual([]);
  });

  it("is let go by signal and clock, and so is a notification that is sent", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const { signal } = new AbortController();
    const lifetimes: AbortSignal[] = [];
    signal.addEventListener = (_type: string, _run: unknown, { signal: until }: Lifetime) =>
      void lifetimes.push(until);
    const limited = client.with({ signal, timeoutSeconds: 3_600 });
    const timers = vi.getTimerCount();
    limited.send.say("hello");
    const sum = limited.invoke.add(1);
    await advance();
    server.socket.deliver({ id: "c2", result: 2 });
    await sum;
    expect(lifetimes.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(vi.getTimerCount()).toBe(timers);
  });

  it("by its time limit says so, and an answer in time stops the clock", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const { invoke } = client.with({ timeoutSeconds: 2 });
    const [late, inTime] = [invoke.say("1"), invoke.say("2")];
    const outcome = outcomeOf(late);
    await advance(1_900);
    server.socket.deliver({ id: "c2", result: null });
    await advance(200);
    expect(await outcome).toEqual({ code: "timed_out" });
    expect(await inTime).toBe(null);
    expect(methods(server)).toEqual(["say", "say", "$/cancelRequest"]);
  });

  it.each([Infinity, 40 * 86_400])(
    "not at once by a limit of %d s, more than a timer holds",
    async (seconds) => {
      const { server, client } = await connectedClient<TestHub>();
      const outcome = outcomeOf(client.with({ timeoutSeconds: seconds }).invoke.say("1"));
      await advance(5_000);
      server.socket.deliver({ id: "c1", result: null });
      expect(await outcome).toEqual({ value: null });
    },
  );
});

describe("a stream", () => {
  it("gives its items and ends", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const items = collect(client.stream.count(2));
    await advance();
    for (const item of [1, 2])
      server.socket.deliver({ method: "$/item", params: { id: "c1", item } });
    server.socket.deliver({ id: "c1", result: null });
    expect(await items).toEqual([1, 2]);
  });

  it("that is broken off is cancelled at the server, once", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const first = (async () => {
      for await (const item of client.stream.count(2)) return item;
      return undefined;
    })();
    await advance();
    server.socket.deliver({ method: "$/item", params: { id: "c1", item: 1 } });
    expect(await first).toBe(1);
    await advance();
    expect(methods(server)).toEqual(["count", "$/cancelRequest"]);
  });

  it("that has ended is not cancelled", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const items = collect(client.stream.count(2));
    await advance();
    server.socket.deliver({ id: "c1", result: null });
    await items;
    await advance();
    expect(methods(server)).toEqual(["count"]);
  });

  it("is called by each who iterates, when they begin", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const items = client.stream.count(2);
    await advance();
    expect(methods(server)).toEqual([]);
    for (const iterator of [items[Symbol.asyncIterator](), items[Symbol.asyncIterator]()])
      void iterator.next().catch(() => {});
    await advance();
    expect(methods(server)).toEqual(["count", "count"]);
  });
});
