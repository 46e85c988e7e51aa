// Delivery of a queue to its receiver.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Message } from "../../src/webhooks/webhook-request.ts";
import { range, withStorage } from "../rooms/storage.ts";
import { DAY_MS, failing, fine, refused, senderOn, type Respond } from "./sender-fixture.ts";

const logged: string[] = [];
beforeEach(() => {
  logged.length = 0;
  for (const level of ["warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((text: string) => void logged.push(text));
});
afterEach(() => vi.restoreAllMocks());

describe("a sender", () => {
  it("sends at once what comes, one request at a time; what comes meanwhile goes with the next", () =>
    withStorage(async (storage) => {
      const { say, state, attempts, taken, idle, queue, sender, clock } = senderOn(storage);
      const gate = Promise.withResolvers<Response>();
      state.respond = () => gate.promise;
      say(1);
      say(2);
      say(3, 4);
      await vi.waitFor(() => expect(attempts).toHaveLength(1));
      state.respond = fine;
      gate.resolve(await fine({} as Message));
      await idle();
      expect(attempts).toEqual([
        [0, [1]],
        [0, [2, 3, 4]],
      ]);
      expect([taken, queue.size, sender.due(clock.now)]).toEqual([[1, 2, 3, 4], 0, undefined]);
    }));

  it("holds for a moment after a request, unless another is full already", () =>
    withStorage(async (storage) => {
      const { say, state, attempts, idle } = senderOn(storage);
      const gate = Promise.withResolvers<void>();
      state.held = () => gate.promise;
      say(1);
      await vi.waitFor(() => expect(attempts).toHaveLength(1));
      say(2);
      say(3);
      await Promise.resolve();
      expect(attempts).toHaveLength(1);
      gate.resolve();
      await idle();
      expect(attempts.map(([, ids]) => ids)).toEqual([[1], [2, 3]]);
      state.held = () => Promise.reject(new Error("It need not hold."));
      say(...range(4, 203));
      await vi.waitFor(() => expect(attempts).toHaveLength(4));
    }));

  it("tries again after 1, 2, 5, 15, 60 and 300 s, then every 300 s, with the same request", () =>
    withStorage(async (storage) => {
      const { say, state, attempts, messages, pass, idle } = senderOn(storage);
      state.respond = failing(500);
      say(1);
      await idle();
      say(2);
      await pass(1_000_000);
      expect(attempts.map(([at]) => at / 1_000)).toEqual([0, 1, 3, 8, 23, 83, 383, 683, 983]);
      expect(new Set(messages.map(({ id, body }) => `${id} ${body}`)).size).toBe(1);
      const about = { hub: "chat", room: "group:a" };
      const why = "the receiver answered 500";
      const delayed = { level: "warn", event: "webhook_delayed", ...about, why };
      expect(logged.slice(0, 2).map((line) => JSON.parse(line))).toEqual([
        { ...delayed, events: 1, seconds: 1 },
        { ...delayed, events: 1, seconds: 2 },
      ]);
    }));

  it.each<[string, Respond]>([
    ["is down", refused],
    ["hangs until its time is over", () => Promise.reject(new Error("No answer within 10000 ms."))],
    ["answers 500", failing(500)],
    ["answers 400", failing(400)],
    ["answers 410", failing(410)],
    ["redirects", failing(307, { location: "https://other.example/" })],
  ])("keeps order and loses nothing where the receiver %s for 60 s", (_, broken) =>
    withStorage(async (storage) => {
      const { say, state, taken, pass, queue, sender, clock } = senderOn(storage);
      say(1, 2);
      await pass(1_000);
      state.respond = broken;
      for (const n of range(3, 62)) {
        say(n);
        await pass(1_000);
      }
      expect(taken).toEqual([1, 2]);
      state.respond = fine;
      for (const n of range(63, 90)) {
        say(n);
        await pass(1_000);
      }
      expect(taken).toEqual(range(1, 90));
      expect([queue.size, sender.due(clock.now)]).toEqual([0, undefined]);
    }),
  );

  it("begins its pauses anew once something was taken", () =>
    withStorage(async (storage) => {
      const { say, state, attempts, pass, idle } = senderOn(storage);
      state.respond = failing(503);
      say(1);
      await pass(3_000);
      state.respond = fine;
      await pass(5_000);
      state.respond = failing(503);
      say(2);
      await pass(1_000);
      await idle();
      expect(attempts.map(([at]) => at / 1_000)).toEqual([0, 1, 3, 8, 8, 9]);
    }));

  it.each([
    ["20", 20],
    ["0", 1],
    ["99999", 900],
    ["Thu, 01 Jan 1970 00:00:40 GMT", 40],
    ["soon", 1],
  ])("waits as Retry-After says, within bounds: %j is %i s", (text, seconds) =>
    withStorage(async (storage) => {
      const { say, state, attempts, pass, idle } = senderOn(storage);
      state.respond = failing(429, { "retry-after": text });
      say(1);
      await idle();
      state.respond = fine;
      await pass(1_000_000);
      expect(attempts.map(([at]) => at / 1_000)).toEqual([0, seconds]);
    }),
  );

  it("goes on after a crash where it was: the same request, and not before its time", () =>
    withStorage(async (storage) => {
      const before = senderOn(storage);
      before.state.respond = failing(500);
      before.say(1);
      await before.pass(3_000);
      before.say(2);
      const after = senderOn(storage, { now: 3_500 });
      after.sender.start();
      expect([after.state.alarm, after.attempts]).toEqual([8_000, []]);
      await after.pass(10_000);
      expect(after.attempts).toEqual([
        [8_000, [1]],
        [8_000, [2]],
      ]);
      expect(after.messages[0]).toEqual(before.messages[0]);
    }));

  it("looks by alarm after what a crash cut off", () =>
    withStorage(async (storage) => {
      const before = senderOn(storage);
      before.state.respond = () => new Promise(() => {});
      before.say(1);
      expect(before.state.alarm).toBe(60_000);
      const after = senderOn(storage, { now: 60_000 });
      after.sender.run();
      await after.idle();
      expect(after.taken).toEqual([1]);
    }));

  it("does not ring without end while a request is under way", () =>
    withStorage(async (storage) => {
      const { say, state, sender, clock, idle } = senderOn(storage);
      state.respond = failing(500);
      say(1);
      await idle();
      state.respond = () => new Promise(() => {});
      clock.now = 1_000;
      sender.run();
      expect(sender.due(clock.now)).toBeGreaterThan(clock.now + 10_000);
    }));

  it("drops what the receiver did not take for a day, says how many, and goes on", () =>
    withStorage(async (storage) => {
      const { say, state, taken, pass, idle } = senderOn(storage);
      state.respond = failing(404);
      say(1, 2);
      await idle();
      await pass(DAY_MS - 1_000);
      say(3);
      await pass(400_000);
      expect(logged).toContain(
        '{"level":"error","event":"webhook_events_dropped","hub":"chat","room":"group:a","events":2}',
      );
      state.respond = fine;
      await pass(400_000);
      expect(taken).toEqual([3]);
    }));

  it("says at once how many were dropped for space: the object may sleep until the next attempt", () =>
    withStorage(async (storage) => {
      const { say, state, counts, idle, queue } = senderOn(storage);
      state.respond = failing(503);
      say(1);
      await idle();
      logged.length = 0;
      say(...range(2, 10_001));
      const events = 10_001 - queue.size;
      expect(events).toBeGreaterThan(100);
      expect(logged.map((line) => JSON.parse(line))).toEqual([
        { level: "error", event: "webhook_events_dropped", hub: "chat", room: "group:a", events },
      ]);
      expect(counts["dropped"]).toBe(events);
    }));

  it("begins anew once all that waited was dropped", () =>
    withStorage(async (storage) => {
      const { say, state, attempts, idle, clock, sender } = senderOn(storage);
      state.respond = failing(503);
      say(1);
      await idle();
      clock.now = DAY_MS;
      sender.run();
      expect([storage.kv.get("webhook-retry"), sender.waiting]).toEqual([undefined, undefined]);
      state.respond = fine;
      say(2);
      await idle();
      expect(attempts).toEqual([
        [0, [1]],
        [DAY_MS, [2]],
      ]);
    }));

  it("waits no longer than its longest pause, where the clock was set back", () =>
    withStorage(async (storage) => {
      const { say, state, taken, idle, clock } = senderOn(storage, { now: DAY_MS });
      state.respond = failing(503);
      say(1);
      await idle();
      state.respond = fine;
      clock.now = 0;
      say(2);
      await idle();
      expect(taken).toEqual([1, 2]);
    }));

  it("has the number and the age of events that wait after a failure, also after a wake", () =>
    withStorage(async (storage) => {
      const { say, state, pass, clock, sender } = senderOn(storage);
      clock.now = 5_000;
      say(1);
      expect(sender.waiting).toBeUndefined();
      await pass(0);
      state.respond = failing(503);
      say(2);
      await pass(1_000);
      say(3);
      const waiting = { events: 2, since: 5_000 };
      expect([sender.waiting, senderOn(storage).sender.waiting]).toEqual([waiting, waiting]);
      state.respond = fine;
      await pass(10_000);
      expect(sender.waiting).toBeUndefined();
    }));

  it("goes on where its rows cannot be read for once", () =>
    withStorage(async (storage) => {
      const { say, taken, pass, idle, queue } = senderOn(storage);
      vi.spyOn(queue, "next").mockImplementationOnce(() => {
        throw new Error("The disk is full.");
      });
      say(1);
      await idle();
      expect(taken).toEqual([]);
      await pass(1_000);
      expect(taken).toEqual([1]);
    }));
});
