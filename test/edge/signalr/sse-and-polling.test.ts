// SignalR's stream of events by itself: however it ends, nothing is done to a stream that is over. What a listener throws
// fails nothing, and is an uncaught exception in the worker's log for every tab that is closed.

import { afterEach, describe, expect, it, vi } from "vitest";
import { serverSentEvents } from "../../../src/edge/signalr/sse-and-polling.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function streaming() {
  const { 0: near, 1: far } = new WebSocketPair();
  far.accept();
  const closed = new Promise((resolve) => far.addEventListener("close", resolve));
  const { prototype } = ReadableStreamDefaultController;
  const done = (["enqueue", "close", "error"] as const).map((name) => vi.spyOn(prototype, name));
  const client = new AbortController();
  const request = new Request("https://edge.example/", { signal: client.signal });
  const { body } = serverSentEvents(near, request);
  const failed = () =>
    done.flatMap(({ mock }) => mock.results).filter(({ type }) => type === "throw");
  const heard = () => new Promise((resolve) => near.addEventListener("close", resolve));
  return { far, near, closed, client, reader: body!.getReader(), done, failed, heard };
}

describe("a stream of SignalR's", () => {
  it("that its reader cancels lets its socket go, and is left alone", async () => {
    const { far, reader, closed, failed, heard, done } = streaming();
    const over = heard();
    await reader.cancel();
    await closed;
    far.close(1000);
    await over;
    expect(failed()).toEqual([]);
    expect(done[1]).not.toHaveBeenCalled();
  });

  it("whose reader does not read ends with an error, once", async () => {
    const { far, reader, closed, failed, heard } = streaming();
    const over = heard();
    const frame = "x".repeat(600_000);
    for (let i = 0; i < 4; i++) far.send(frame);
    await closed;
    far.close(1000);
    await over;
    expect(failed()).toEqual([]);
    await expect(reader.closed).rejects.toThrow("The reader is too slow.");
  });

  it("ends when the relay ends it", async () => {
    const { far, reader, failed } = streaming();
    far.close(1000);
    while (!(await reader.read()).done);
    expect(failed()).toEqual([]);
  });

  it("ends when its client is gone", async () => {
    const { client, reader, closed, failed } = streaming();
    client.abort();
    await closed;
    while (!(await reader.read()).done);
    expect(failed()).toEqual([]);
  });
});
