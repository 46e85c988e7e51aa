// How an iteration over a room's events ends: by silence, which is a loss, and by those who stop.

import { describe, expect, it, onTestFinished, vi } from "vitest";
import { events } from "../../../src/client/index.ts";
import { listening, returns, texts, type Listening } from "./event-server.ts";
import type { TestHub } from "../hubs.ts";
import { pass } from "../server.ts";

describe("silence", () => {
  it("of two comments' time is a loss, and comments are none", async () => {
    const listener = await listening();
    const { request, requests } = listener;
    request.greet();
    for (let comments = 0; comments < 5; comments += 1) {
      await pass(15_000);
      request.write(":\n\n");
    }
    await pass(31_900);
    expect(requests).toHaveLength(1);
    await pass(100);
    expect(returns(listener)).toEqual(["silent"]);
    expect(requests[0]!.isAborted).toBe(true);
  });

  it("instead of an answer is a loss after 10 s", async () => {
    const listener = await listening();
    await pass(10_000);
    expect(returns(listener)).toEqual(["timed_out"]);
    expect(listener.requests[0]!.isAborted).toBe(true);
  });

  it("is none while nobody reads: a slow loop finds its stream as it was", async () => {
    const gate = Promise.withResolvers<void>();
    const { request, requests, heard } = await listening({}, ({ type }) =>
      type === "connected" ? gate.promise : undefined,
    );
    request.greet();
    await pass(600_000);
    expect(vi.getTimerCount()).toBe(0);
    request.said("later", "e:11");
    gate.resolve();
    await pass();
    expect(texts(heard)).toEqual(["connected", "later"]);
    expect(requests).toHaveLength(1);
  });
});

describe("who stops", () => {
  it("by `break` ends the request at once, with whatever had come", async () => {
    const { request, outcome, heard } = await listening({}, ({ method }) => method && "break");
    request.greet();
    for (const text of ["1", "2"]) request.said(text, `e:1${text}`);
    await pass();
    expect(await outcome).toEqual({ value: undefined });
    expect(texts(heard)).toEqual(["connected", "1"]);
    expect(request.isAborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  const PHASES: readonly [string, (listener: Listening) => unknown][] = [
    ["it waits for an answer", () => {}],
    ["it listens", ({ request }) => request.greet()],
    ["it pauses", ({ request }) => request.fail()],
  ];
  it.each(PHASES)("by a signal ends while %s", async (_what, reach) => {
    const listener = await listening();
    reach(listener);
    await pass();
    listener.stop();
    expect(await listener.outcome).toEqual({ value: undefined });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("by a signal ends while there is no token", async () => {
    const { outcome, stop } = await listening({ token: () => new Promise(() => {}) });
    stop();
    expect(await outcome).toEqual({ value: undefined });
  });

  it("by a signal hears nothing more of what had come", async () => {
    const { request, heard, stop } = await listening({}, ({ method }) => void (method && stop()));
    request.greet();
    for (const text of ["1", "2"]) request.said(text, `e:1${text}`);
    await pass();
    expect(texts(heard)).toEqual(["connected", "1"]);
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
    const asked: AbortSignal[] = [];
    const iterable = events<TestHub>("https://host/hubs/test", {
      room: "group:lobby",
      token: "t",
      fetch: ((_url: string, { signal }: RequestInit) => {
        asked.push(signal!);
        return new Promise(() => {});
      }) as unknown as typeof fetch,
    });
    for (const count of [1, 2]) {
      const reading = iterable[Symbol.asyncIterator]();
      const next = reading.next();
      await pass();
      await reading.return!();
      expect(await next).toEqual({ done: true, value: undefined });
      expect(asked.map(({ aborted }) => aborted)).toEqual(Array(count).fill(true));
    }
    expect(vi.getTimerCount()).toBe(0);
  });
});
