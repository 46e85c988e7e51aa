// A stream of events that breaks between the word that a room recovered and what it replays: from either side, it goes
// on from where its reader stood.

import { describe, expect, it, onTestFinished, vi } from "vitest";
import { LIMITS } from "../../../src/model/options.ts";
import { eventStream } from "../../../src/edge/sse/event-streams.ts";
import type { ConnectedParams } from "../../../src/edge/stream/room-record.ts";
import { FrameCache } from "../../../src/edge/stream/shared-frames.ts";

/** A room that says what the test makes it say. */
function room(name: string, since?: string, opens: Promise<void> = Promise.resolve()) {
  const sockets: WebSocket[] = [];
  const opened: (string | undefined)[] = [];
  const open = async (from: string | undefined): Promise<WebSocket> => {
    const { 0: near, 1: far } = new WebSocketPair();
    far.accept();
    sockets.push(far);
    opened.push(from);
    await opens;
    return near;
  };
  const say = (frame: object | string) =>
    sockets.at(-1)!.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  return {
    source: { room: name, since, open },
    opened,
    say,
    hello: (params: ConnectedParams) =>
      say({ method: "$/connected", params: { room: name, ...params } }),
    said: (word: string, position: string, from = name) =>
      say({ method: "said", params: [word], room: from, position }),
    closed: () => new Promise((resolve) => sockets.at(-1)!.addEventListener("close", resolve)),
    close: (code: number) => sockets.at(-1)!.close(code),
  };
}

async function reading(...rooms: readonly ReturnType<typeof room>[]) {
  const sources = rooms.map(({ source }) => source);
  const { body } = await eventStream(
    { sources, frames: new FrameCache(), limits: LIMITS },
    new Request("https://edge.example/"),
  );
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  onTestFinished(() => reader.cancel());
  let text = "";
  let skipped = "";
  /** The next event of this name that has an id, and that. */
  async function next(name: string): Promise<string> {
    const pattern = new RegExp(`event: ${name}\\nid: (.*)\\n.*\\n\\n`);
    for (;;) {
      const found = pattern.exec(text);
      if (found) skipped += text.slice(0, found.index);
      text = found ? text.slice(found.index + found[0].length) : text;
      if (found) return found[1]!;
      const { done, value } = await reader.read();
      if (done) throw new Error(`The stream ended after ${text}`);
      text += value;
    }
  }
  return Object.assign(next, { skipped: () => skipped });
}

const whole = (position: string, replayed: number): ConnectedParams => ({
  position,
  recovered: true,
  replayed,
});

describe("a stream that resumes", () => {
  it("stands where it stood until it has heard what it missed", async () => {
    const one = room("group:a", "e:5");
    const next = await reading(one);
    one.hello(whole("e:7", 2));
    expect(await next("recovered")).toBe("e:5");
    for (const n of [6, 7]) one.said("x", `e:${n}`);
    expect([await next("said"), await next("said")]).toEqual(["e:6", "e:7"]);
  });

  it("stands where its room does when it missed nothing, or can have nothing", async () => {
    const one = room("group:a", "e:5");
    const next = await reading(one);
    one.hello(whole("e:7", 0));
    expect(await next("recovered")).toBe("e:7");
    const other = room("group:a", "gone:5");
    const nextOther = await reading(other);
    other.hello({ position: "e:7", recovered: false, replayed: 0 });
    expect(await nextOther("reset")).toBe("e:7");
  });

  it("says so of each room beside what others say meanwhile", async () => {
    const [a, b] = [room("group:a", "e:5"), room("group:b", "f:1")];
    const next = await reading(a, b);
    a.hello(whole("e:7", 2));
    await next("recovered");
    b.hello(whole("f:1", 0));
    await next("recovered");
    b.said("x", "f:2");
    expect(await next("said")).toBe("group%3Aa=e:5;group%3Ab=f:2");
  });
});

describe("a stream that follows other rooms, too", () => {
  // Nothing in an event says whose presence it is: it would be taken for this room's.
  it("brings what they say, without a place, and not who comes and goes there", async () => {
    const one = room("group:a");
    const next = await reading(one);
    one.hello({ position: "e:5", recovered: false, replayed: 0 });
    await next("connected");
    one.say({ method: "$/presence", params: { users: 1 }, room: "user:alice", position: "u:1" });
    one.say({ method: "called", params: ["you"], room: "user:alice", position: "u:2" });
    one.say({ method: "$/presence", params: { users: 2 }, room: "group:a", position: "e:6" });
    expect(await next("presence")).toBe("e:6");
    expect(next.skipped()).toContain('event: called\ndata: ["you"]\n\n');
    expect(next.skipped()).not.toContain('"users":1');
  });
});

describe("a stream that one room ends before another has let it in", () => {
  it("keeps nothing alive", async () => {
    const timers = vi.spyOn(globalThis, "setInterval");
    onTestFinished(() => timers.mockRestore());
    const opens = Promise.withResolvers<void>();
    const [a, b] = [room("group:a"), room("group:b", undefined, opens.promise)];
    const streams = eventStream(
      { sources: [a.source, b.source], frames: new FrameCache(), limits: LIMITS },
      new Request("https://edge.example/"),
    );
    await expect.poll(() => b.opened).toEqual([undefined]);
    const [isOver, isLeft] = [a.closed(), b.closed()];
    a.close(4401);
    await isOver;
    opens.resolve();
    expect(await (await streams).text()).toContain('"code":4401');
    await isLeft;
    expect(timers.mock.calls.filter(([, ms]) => ms === 15_000)).toEqual([]);
  });
});

describe("a stream that has lasted as long as it may", () => {
  it("ends with the next comment, leaves its rooms, and has said where to go on", async () => {
    const beats: (() => void)[] = [];
    const timers = vi.spyOn(globalThis, "setInterval").mockImplementation(((beat: () => void) => {
      beats.push(beat);
      return 0;
    }) as unknown as typeof setInterval);
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => {
      timers.mockRestore();
      vi.useRealTimers();
    });
    const one = room("group:a");
    const { body } = await eventStream(
      { sources: [one.source], frames: new FrameCache(), limits: { streamSeconds: 100 } },
      new Request("https://edge.example/"),
    );
    const isLeft = one.closed();
    one.hello({ position: "e:5", recovered: false, replayed: 0 });
    const text = new Response(body).text();
    await scheduler.wait(0);
    vi.setSystemTime(Date.now() + 89_000);
    beats[0]!();
    vi.setSystemTime(Date.now() + 22_000);
    beats[0]!();
    await isLeft;
    expect(await text).toMatch(/id: e:5\n[^]*\n:\n$/);
    expect(await text).not.toContain("event: end");
  });
});

describe("a stream whose reader does not read", () => {
  it("leaves its rooms, and forgets after half a minute what waits", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const one = room("group:a");
    const { body } = await eventStream(
      { sources: [one.source], frames: new FrameCache(), limits: LIMITS },
      new Request("https://edge.example/"),
    );
    const isLeft = one.closed();
    one.hello({ position: "e:5", recovered: false, replayed: 0 });
    for (let offset = 6; offset < 12; offset += 1) one.said("x".repeat(300_000), `e:${offset}`);
    await isLeft;
    vi.advanceTimersByTime(30_000);
    await expect(body!.getReader().read()).rejects.toThrow("too slow");
  });
});

describe("a bridge that breaks", () => {
  it("after another room spoke, goes on from where its own stood", async () => {
    const one = room("group:a");
    const next = await reading(one);
    one.hello({ position: "e:5", recovered: false, replayed: 0 });
    expect(await next("connected")).toBe("e:5");
    one.said("x", "f:9", "all:");
    one.close(1012);
    await expect.poll(() => one.opened).toEqual([undefined, "e:5"]);
  });

  it("before a replay, asks for all of it again", async () => {
    const one = room("group:a", "e:5");
    const next = await reading(one);
    one.hello(whole("e:7", 2));
    await next("recovered");
    one.close(1012);
    await expect.poll(() => one.opened).toEqual(["e:5", "e:5"]);
    one.hello(whole("e:7", 2));
    one.said("x", "e:6");
    expect(await next("said")).toBe("e:6");
    one.close(1012);
    await expect.poll(() => one.opened.at(-1)).toBe("e:6");
  });

  it("because it cannot tell what it heard, ends the stream instead of falling silent", async () => {
    const errors = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => errors.mockRestore());
    const one = room("group:a");
    const { body } = await eventStream(
      { sources: [one.source], frames: new FrameCache(), limits: LIMITS },
      new Request("https://edge.example/"),
    );
    const isLeft = one.closed();
    one.say("what is this");
    expect(await new Response(body).text()).toContain('"code":4503');
    await isLeft;
    expect(errors.mock.calls[0]![0]).toContain("bridge_failed");
  });

  // Its reader began without a position, and has heard of the room all the same.
  it("and cannot be mended whole, says `reset`, and `recovered` where it can", async () => {
    const one = room("group:a");
    const next = await reading(one);
    one.hello({ position: "e:5", recovered: false, replayed: 0 });
    expect(await next("connected")).toBe("e:5");
    one.close(1012);
    await expect.poll(() => one.opened).toEqual([undefined, "e:5"]);
    one.hello(whole("e:5", 0));
    expect(await next("recovered")).toBe("e:5");
    one.close(1012);
    await expect.poll(() => one.opened.length).toBe(3);
    one.hello({ position: "new:1", recovered: false, replayed: 0 });
    expect(await next("reset")).toBe("new:1");
  });
});
