// Parts of the client alone: the heartbeat under throttled timers, the send queue, and the iterator of a stream.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { after } from "../../../src/client/platform/timer.ts";
import { Heartbeat } from "../../../src/client/transport/heartbeat.ts";
import { SendQueue } from "../../../src/client/transport/send-queue.ts";
import { iterableOf, type CallObserver } from "../../../src/client/session/server-streams.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a heartbeat", () => {
  const MINUTE = 60_000;
  const setup = () => {
    vi.setSystemTime(0);
    const log: string[] = [];
    const tell = (what: string) => log.push(`${what} ${Date.now() / 1000}`);
    const heartbeat = new Heartbeat({ ping: () => tell("ping"), onSilence: () => tell("dead") });
    return { log, heartbeat };
  };
  /** Runs timers as a background tab does: once a minute, whatever they asked for. */
  const slowMinute = async () => {
    vi.setSystemTime(Date.now() + MINUTE - 15_000);
    await vi.advanceTimersByTimeAsync(15_000);
  };

  it("does not take a background tab's slow timers for silence", async () => {
    const { heartbeat, log } = setup();
    heartbeat.start(15_000);
    for (let minute = 1; minute <= 5; minute += 1) {
      await slowMinute();
      heartbeat.onReceive();
    }
    expect(log).toEqual(["ping 60", "ping 120", "ping 180", "ping 240", "ping 300"]);
  });

  it("finds a dead connection in a background tab", async () => {
    const { heartbeat, log } = setup();
    heartbeat.start(15_000);
    for (let minute = 1; minute <= 3; minute += 1) await slowMinute();
    expect(log).toEqual(["ping 60", "dead 120"]);
  });

  it.each([0, 20])("finds a dead connection after the clock was set back at %s s", async (at) => {
    const { heartbeat, log } = setup();
    vi.setSystemTime(60 * MINUTE);
    heartbeat.start(15_000);
    await vi.advanceTimersByTimeAsync(at * 1000);
    vi.setSystemTime(at * 1000);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(log.filter((line) => line.startsWith("dead"))).toEqual(["dead 30"]);
  });

  it("finds after a long sleep that nobody answers, once it has asked", async () => {
    const { heartbeat, log } = setup();
    heartbeat.start(15_000);
    await vi.advanceTimersByTimeAsync(15_000);
    vi.setSystemTime(60 * MINUTE - 15_000);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(log).toEqual(["ping 15", "ping 3600", "dead 3615"]);
  });

  it("reads after a sleep the answer that has waited, before it judges", async () => {
    const { heartbeat, log } = setup();
    heartbeat.start(15_000);
    heartbeat.ask();
    vi.setSystemTime(60 * MINUTE);
    await vi.advanceTimersByTimeAsync(15_000);
    heartbeat.onReceive();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(log).toEqual(["ping 0", "ping 3615", "ping 3630"]);
  });

  it("asks whenever it is told to, and judges the silence since the first time", async () => {
    const { heartbeat, log } = setup();
    heartbeat.start(15_000);
    for (let n = 0; n < 4; n += 1) {
      heartbeat.ask();
      await vi.advanceTimersByTimeAsync(7_000);
    }
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(log).toEqual(["ping 0", "ping 7", "ping 14", "ping 15", "ping 21", "dead 30"]);
  });

  it("asks nothing before its start and after its stop", async () => {
    const { heartbeat, log } = setup();
    heartbeat.ask();
    heartbeat.start(15_000);
    heartbeat.stop();
    heartbeat.ask();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(log).toEqual([]);
  });
});

describe("a timer", () => {
  it("rings after 24 days where it was asked for more, and not at once", async () => {
    const rung: string[] = [];
    after(Infinity, () => rung.push("never"));
    after(30 * 365 * 86_400_000, () => rung.push("in 30 years"));
    await vi.advanceTimersByTimeAsync(24 * 86_400_000);
    expect(rung).toEqual([]);
    await vi.advanceTimersByTimeAsync(86_400_000);
    expect(rung).toEqual(["never", "in 30 years"]);
  });
});

describe("an outbox", () => {
  const setup = () => {
    const frames: string[] = [];
    return { frames, queue: new SendQueue((frame) => frames.push(frame)) };
  };
  const lengths = (frames: string[]) =>
    frames.map((frame) => [JSON.parse(frame) as unknown].flat().length);

  it("sends one message as it is, and more of the same moment as an array", async () => {
    const { frames, queue } = setup();
    queue.push({ text: "1" });
    await Promise.resolve();
    for (const text of ["2", "3"]) queue.push({ text });
    await Promise.resolve();
    expect(frames).toEqual(["1", "[2,3]"]);
  });

  it("keeps the patient waiting for a turn of the loop, or for company", async () => {
    const { frames, queue } = setup();
    queue.push({ text: "1", mayWait: true });
    await Promise.resolve();
    expect(frames).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    queue.push({ text: "2", mayWait: true });
    queue.push({ text: "3" });
    await Promise.resolve();
    expect(frames).toEqual(["1", "[2,3]"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("holds as many messages as the server takes in one frame", async () => {
    const { frames, queue } = setup();
    for (let n = 0; n < 250; n += 1) queue.push({ text: "1" });
    await Promise.resolve();
    expect(lengths(frames)).toEqual([100, 100, 50]);
  });

  it.each(["x", "é", "漢", "🐭"])(
    "holds as many bytes as the server takes, of %s, too",
    async (letter) => {
      const { frames, queue } = setup();
      const text = JSON.stringify(letter.repeat(2_000));
      for (let n = 0; n < 30; n += 1) queue.push({ text });
      await Promise.resolve();
      const sizes = frames.map((frame) => new TextEncoder().encode(frame).length);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(32 * 1024);
      expect(lengths(frames).reduce((sum, n) => sum + n)).toBe(30);
      expect(frames.length).toBe(Math.ceil(30 / lengths(frames)[0]!));
    },
  );

  it("forgets what its connection took with it", async () => {
    const { frames, queue } = setup();
    queue.push({ text: "1" });
    queue.push({ text: "2", mayWait: true });
    queue.clear();
    await vi.advanceTimersByTimeAsync(1);
    expect(frames).toEqual([]);
  });
});

describe("a stream being read", () => {
  const setup = () => {
    let observer!: CallObserver;
    const cancel = vi.fn<() => void>(() => observer.error(new Error("broken off")));
    const iterator = iterableOf((one) => ((observer = one), cancel))[Symbol.asyncIterator]();
    return { observer, cancel, iterator };
  };

  it("keeps what came before it was asked for, and tells an error once, after it", async () => {
    const { observer, iterator } = setup();
    observer.next(1);
    observer.error(new Error("lost"));
    expect(await iterator.next()).toEqual({ done: false, value: 1 });
    await expect(iterator.next()).rejects.toThrow("lost");
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("gives items to those who wait, in order, and ends for all of them", async () => {
    const { observer, iterator } = setup();
    const three = Promise.all([iterator.next(), iterator.next(), iterator.next()]);
    observer.next("a");
    observer.complete(null);
    expect(await three).toEqual([
      { done: false, value: "a" },
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
  });

  it("can be broken off while somebody waits for an item", async () => {
    const { observer, cancel, iterator } = setup();
    observer.next(1);
    await iterator.next();
    const waiting = iterator.next();
    observer.next(2);
    const last = iterator.next();
    expect(await iterator.return!()).toEqual({ done: true, value: undefined });
    expect(await waiting).toEqual({ done: false, value: 2 });
    expect(await last).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(cancel).toHaveBeenCalledOnce();
  });
});
