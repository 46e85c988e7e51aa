// How an iteration over a room's events is interrupted by silence, which counts as a loss, and ended by its consumer.

import { describe, expect, it, onTestFinished, vi } from "vitest";
import { events } from "../../../src/client/index.ts";
import { startReader, reconnectionCodes, texts, type Reader } from "./event-server.ts";
import type { TestHub } from "../hubs.ts";
import { advance } from "../server.ts";

describe("silence", () => {
  it("of two comments' time is a loss, and comments are none", async () => {
    const reader = await startReader();
    const { request, requests } = reader;
    request.greet();
    for (let comments = 0; comments < 5; comments += 1) {
      await advance(15_000);
      request.write(":\n\n");
    }
    await advance(31_900);
    expect(requests).toHaveLength(1);
    await advance(100);
    expect(reconnectionCodes(reader)).toEqual(["silent"]);
    expect(requests[0]!.isAborted).toBe(true);
  });

  it("instead of an answer is a loss after 10 s", async () => {
    const reader = await startReader();
    await advance(10_000);
    expect(reconnectionCodes(reader)).toEqual(["timed_out"]);
    expect(reader.requests[0]!.isAborted).toBe(true);
  });

  it("is none while nobody reads: a slow loop finds its stream as it was", async () => {
    const gate = Promise.withResolvers<void>();
    const { request, requests, received } = await startReader({}, ({ type }) =>
      type === "connected" ? gate.promise : undefined,
    );
    request.greet();
    await advance(600_000);
    expect(vi.getTimerCount()).toBe(0);
    request.deliverMessage("later", "e:11");
    gate.resolve();
    await advance();
    expect(texts(received)).toEqual(["connected", "later"]);
    expect(requests).toHaveLength(1);
  });
});

describe("who stops", () => {
  it("by `break` ends the request at once, with whatever had come", async () => {
    const { request, outcome, received } = await startReader({}, ({ method }) => method && "break");
    request.greet();
    for (const text of ["1", "2"]) request.deliverMessage(text, `e:1${text}`);
    await advance();
    expect(await outcome).toEqual({ value: undefined });
    expect(texts(received)).toEqual(["connected", "1"]);
    expect(request.isAborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  const PHASES: readonly [string, (reader: Reader) => unknown][] = [
    ["it waits for an answer", () => {}],
    ["it listens", ({ request }) => request.greet()],
    ["it pauses", ({ request }) => request.fail()],
  ];
  it.each(PHASES)("by a signal ends while %s", async (_what, reach) => {
    const reader = await startReader();
    reach(reader);
    await advance();
    reader.stop();
    expect(await reader.outcome).toEqual({ value: undefined });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("by a signal ends while there is no token", async () => {
    const { outcome, stop } = await startReader({ token: () => new Promise(() => {}) });
    stop();
    expect(await outcome).toEqual({ value: undefined });
  });

  it("by a signal hears nothing more of what had come", async () => {
    const { request, received, stop } = await startReader(
      {},
      ({ method }) => void (method && stop()),
    );
    request.greet();
    for (const text of ["1", "2"]) request.deliverMessage(text, `e:1${text}`);
    await advance();
    expect(texts(received)).toEqual(["connected", "1"]);
  });

  it("before it begins asks for nothing", async () => {
    const fetch = vi.fn<typeof globalThis.fetch>();
    const signal = AbortSignal.abort();
    const options = { room: "group:lobby", token: "t", signal, fetch } as const;
    for await (const event of events<TestHub>("https://host/hubs/test", options)) throw event;
    expect(fetch).not.toHaveBeenCalled();
  });

  it("by `return` ends what waits for the next event, and the next iteration is another", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const signals: AbortSignal[] = [];
    const iterable = events<TestHub>("https://host/hubs/test", {
      room: "group:lobby",
      token: "t",
      fetch: ((_url: string, { signal }: RequestInit) => {
        signals.push(signal!);
        return new Promise(() => {});
      }) as unknown as typeof fetch,
    });
    for (const count of [1, 2]) {
      const iterator = iterable[Symbol.asyncIterator]();
      const next = iterator.next();
      await advance();
      await iterator.return!();
      expect(await next).toEqual({ done: true, value: undefined });
      expect(signals.map(({ aborted }) => aborted)).toEqual(Array(count).fill(true));
    }
    expect(vi.getTimerCount()).toBe(0);
  });
});
