// SignalR's stream of events by itself: however it ends, nothing is done to a stream that is over. What a listener
// throws fails nothing, and is an uncaught exception in the worker's log for every tab that is closed. And a poll by
// itself: frames are answered once.

import { afterEach, describe, expect, it, vi } from "vitest";
import { longPoll, serverSentEvents } from "../../../src/edge/signalr/sse-and-polling.ts";
import { POLL_ENDED, POLL_REPLACED } from "../../../src/model/wire-constants.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function streaming(client = new AbortController()) {
  const { 0: near, 1: far } = new WebSocketPair();
  far.accept();
  const closed = new Promise((resolve) => far.addEventListener("close", resolve));
  const { prototype } = ReadableStreamDefaultController;
  const done = (["enqueue", "close", "error"] as const).map((name) => vi.spyOn(prototype, name));
  const request = new Request("https://edge.example/", { signal: client.signal });
  const { body } = serverSentEvents(near, request);
  const failed = () =>
    done.flatMap(({ mock }) => mock.results).filter(({ type }) => type === "throw");
  const heard = () => new Promise((resolve) => near.addEventListener("close", resolve));
  return { far, near, closed, client, reader: body!.getReader(), done, failed, heard };
}

/** Of a request that its client has given up. */
function gone(): AbortController {
  const client = new AbortController();
  client.abort();
  return client;
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

  it("of a client that is gone already ends at once", async () => {
    const { reader, closed, failed } = streaming(gone());
    await closed;
    while (!(await reader.read()).done);
    expect(failed()).toEqual([]);
  });

  it.each(["its client", "its reader", "the relay"])(
    "sends no pings once %s has ended it",
    async (by) => {
      vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
      const { client, far, reader, closed } = streaming();
      expect(vi.getTimerCount()).toBe(1);
      if (by === "its client") client.abort();
      else if (by === "its reader") await reader.cancel();
      else far.close(1000);
      await closed;
      expect(vi.getTimerCount()).toBe(0);
    },
  );
});

describe("a poll", () => {
  function polling(client = new AbortController()) {
    const { 0: near, 1: far } = new WebSocketPair();
    far.accept();
    const request = new Request("https://edge.example/", { signal: client.signal });
    const confirmed: unknown[] = [];
    far.addEventListener("message", ({ data }) => confirmed.push(data));
    const closed = new Promise<number>((resolve) =>
      far.addEventListener("close", ({ code }) => resolve(code)),
    );
    const told = longPoll(near, request).then(async (one) => [one.status, await one.text()]);
    return { near, far, client, confirmed, closed, told };
  }

  it("confirms the frames that it answers with, once the relay has let it go", async () => {
    const { far, confirmed, told } = polling();
    far.addEventListener("message", () => far.close(1000));
    far.send("one,");
    far.send("two");
    expect(await told).toEqual([200, "one,two"]);
    expect(confirmed).toEqual(["2"]);
  });

  it("is answered as soon as the relay has let it go, and leaves no timer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const wait = scheduler.wait.bind(scheduler);
    // The limit of that wait does not come.
    vi.spyOn(scheduler, "wait").mockImplementation((ms) =>
      ms === 0 ? wait(0) : new Promise(() => {}),
    );
    const { far, told } = polling();
    far.addEventListener("message", () => far.close(1000));
    far.send("one");
    expect([await told, vi.getTimerCount()]).toEqual([[200, "one"], 0]);
  });

  it("is answered without the relay after some seconds, and lets go of it", async () => {
    vi.spyOn(scheduler, "wait").mockResolvedValue();
    const { far, closed, confirmed, told } = polling();
    far.send("one");
    expect([await told, await closed, confirmed]).toEqual([[200, "one"], 1001, ["1"]]);
  });

  it("has the last frame of a connection that ends before the relay has let it go", async () => {
    const { far, told } = polling();
    far.addEventListener("message", () => {
      far.send(",last");
      far.close(POLL_ENDED);
    });
    far.send("one");
    expect(await told).toEqual([200, "one,last"]);
  });

  it("answers the last frames of a connection that ends", async () => {
    const { far, told } = polling();
    far.send("last");
    far.close(1000);
    expect(await told).toEqual([200, "last"]);
  });

  it("whose place another has taken leaves that one its frames", async () => {
    const { far, told } = polling();
    far.addEventListener("message", () => far.close(POLL_REPLACED));
    far.send("said");
    expect(await told).toEqual([204, ""]);
  });

  it("whose place another takes before it has confirmed does the same", async () => {
    const { far, told } = polling();
    far.send("said");
    far.close(POLL_REPLACED);
    expect(await told).toEqual([204, ""]);
  });

  it("that its client has given up confirms nothing of what comes in that turn", async () => {
    const { far, client, confirmed, closed } = polling();
    client.abort();
    far.send("late");
    expect([await closed, confirmed]).toEqual([1001, []]);
  });

  it("of a client that is gone already is over at once", async () => {
    const { closed, told } = polling(gone());
    expect([await closed, await told]).toEqual([1001, [200, ""]]);
  });

  it("that its client gives up as frames come confirms none", async () => {
    const { near, far, client, confirmed, closed } = polling();
    near.addEventListener("message", () => client.abort());
    far.send("late");
    expect([await closed, confirmed]).toEqual([1001, []]);
  });
});
