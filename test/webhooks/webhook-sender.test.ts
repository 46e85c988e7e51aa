// Delivery of a queue to its receiver. Clock, alarm and receiver belong to the test.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Message } from "../../src/webhooks/webhook-request.ts";
import { Queue } from "../../src/webhooks/webhook-queue.ts";
import { Sender } from "../../src/webhooks/webhook-sender.ts";
import { range, withStorage } from "../rooms/storage.ts";

type Respond = (message: Message) => Response | Promise<Response>;

const logged: string[] = [];
beforeEach(() => {
  logged.length = 0;
  for (const level of ["warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((text: string) => void logged.push(text));
});
afterEach(() => vi.restoreAllMocks());

const DAY_MS = 86_400_000;
const fine: Respond = () => new Response(null, { status: 204 });
const failing = (status: number, headers: Record<string, string> = {}) => {
  return () => new Response("no", { status, headers });
};
const refused: Respond = () => Promise.reject(new TypeError("connection refused"));
const idsIn = ({ body }: Message) => (JSON.parse(body) as { n: number }[]).map(({ n }) => n);

/** A sender whose alarm fires as the test advances its clock. */
function senderOn({ sql, kv }: Pick<DurableObjectStorage, "sql" | "kv">, clock = { now: 0 }) {
  const queue = new Queue(sql, { events: 10_000, chars: 1e7, ageMs: DAY_MS });
  const state = {
    ...{ respond: fine, alarm: undefined as number | undefined, underWay: 0 },
    held: async () => {},
  };
  const attempts: [at: number, ids: number[]][] = [];
  const messages: Message[] = [];
  const taken: number[] = [];
  const works: Promise<unknown>[] = [];
  const sender = new Sender({
    ...{ queue, kv, now: () => clock.now, random: () => 0 },
    arm: (at) => (state.alarm = Math.min(at, state.alarm ?? Infinity)),
    waitUntil: (work) => works.push(work),
    hold: () => state.held(),
    async post(message, read) {
      expect(++state.underWay).toBe(1);
      try {
        attempts.push([clock.now, idsIn(message)]);
        messages.push(message);
        const response = await state.respond(message);
        if (response.ok) taken.push(...idsIn(message));
        return await read(response);
      } finally {
        state.underWay--;
      }
    },
  });
  const idle = async () => {
    while (works.length > 0) await works.shift();
  };
  const say = (...numbers: number[]) => {
    queue.add(
      numbers.map((n) => ({ id: `e${n}`, text: JSON.stringify({ n }) })),
      clock.now,
    );
    sender.start();
  };
  /** Advances the clock; alarms that fall due fire on the way. */
  const pass = async (ms: number) => {
    await idle();
    const until = clock.now + ms;
    while (state.alarm !== undefined && state.alarm <= until) {
      clock.now = Math.max(clock.now, state.alarm);
      state.alarm = undefined;
      sender.run();
      const due = sender.due(clock.now);
      if (due !== undefined) state.alarm = Math.min(due, state.alarm ?? Infinity);
      await idle();
    }
    clock.now = until;
  };
  return { queue, sender, state, attempts, messages, taken, say, pass, idle, clock };
}

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
      const delayed = { level: "warn", event: "webhook_delayed", why: "the receiver answered 500" };
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
      expect(logged).toContain('{"level":"error","event":"webhook_events_dropped","events":2}');
      state.respond = fine;
      await pass(400_000);
      expect(taken).toEqual([3]);
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
