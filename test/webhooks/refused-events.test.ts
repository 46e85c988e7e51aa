// Events whose content the receiver refuses: it gets all others, in order.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { range, withStorage } from "../rooms/storage.ts";
import { DAY_MS, failing, fine, idsIn, senderOn, type Respond } from "./sender-fixture.ts";

const logged: { readonly event: string; readonly [field: string]: unknown }[] = [];
beforeEach(() => {
  logged.length = 0;
  for (const level of ["warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((text: string) => {
      logged.push(JSON.parse(text));
    });
});
afterEach(() => vi.restoreAllMocks());

/** Refuses each request with one of these events. */
const refusing =
  (status: number, ...events: number[]): Respond =>
  (message) =>
    new Response(null, { status: idsIn(message).some((n) => events.includes(n)) ? status : 204 });

const ofEvent = (name: string) => logged.filter(({ event }) => event === name);

describe("an event that the receiver refuses", () => {
  it.each([400, 413, 422])("with %i is given up after five tries, and later ones go on", (status) =>
    withStorage(async (storage) => {
      const { say, state, attempts, counts, taken, pass, queue } = senderOn(storage);
      state.respond = refusing(status, 1);
      say(1);
      say(2);
      await pass(22_999);
      expect(attempts.map(([at, ids]) => [at / 1_000, ids])).toEqual(
        [0, 1, 3, 8].map((second) => [second, [1]]),
      );
      expect([taken, queue.size]).toEqual([[], 2]);
      await pass(1);
      expect(attempts.slice(4)).toEqual([
        [23_000, [1]],
        [23_000, []],
        [23_000, [2]],
      ]);
      const about = { level: "error", hub: "chat", room: "group:a", id: "e1", type: "t", status };
      expect(ofEvent("webhook_event_refused")).toEqual([
        { ...about, event: "webhook_event_refused" },
      ]);
      expect([counts, queue.size]).toEqual([{ failed: 4, refused: 1, delivered: 1 }, 0]);
    }),
  );

  it("among others is found by sending each alone, at once and in order", () =>
    withStorage(async (storage) => {
      const { say, state, attempts, taken, pass, queue } = senderOn(storage);
      state.respond = failing(503);
      say(1, 2);
      for (const n of range(3, 6)) say(n);
      say(7, 8, 9);
      state.respond = refusing(400, 2, 8);
      await pass(DAY_MS / 2);
      expect(taken).toEqual([1, 3, 4, 5, 6, 7, 9]);
      expect([queue.size, storage.kv.get("webhook-retry")]).toEqual([0, undefined]);
      const first = [[1, 2], [1], [2], [2], [2], [2], [2], [], [3, 4, 5, 6, 7, 8, 9]];
      expect(ofEvent("webhook_delayed").find(({ seconds }) => seconds === 0)).toMatchObject({
        ...{ why: "the receiver answered 400", events: 2 },
      });
      expect(attempts.slice(1, first.length + 1).map(([, ids]) => ids)).toEqual(first);
      const rest = attempts.slice(first.length + 1).map(([, ids]) => ids.join());
      const alone = ["3", "4", "5", "6", "7,8,9", "7", "8", "8", "8", "8", "8", "", "9"];
      expect(rest).toEqual(alone);
    }));

  it.each([401, 403, 404, 410, 429, 500, 302])("is kept where the status is %i", (status) =>
    withStorage(async (storage) => {
      const { say, state, attempts, pass, queue } = senderOn(storage);
      state.respond = refusing(status, 2);
      say(1, 2);
      await pass(3_600_000);
      expect([queue.size, new Set(attempts.map(([, ids]) => ids.join()))]).toEqual([
        2,
        new Set(["1,2"]),
      ]);
      expect(ofEvent("webhook_event_refused")).toEqual([]);
    }),
  );

  it("is kept while the receiver refuses an empty batch, too, as with a wrong secret", () =>
    withStorage(async (storage) => {
      const { say, state, taken, pass, queue } = senderOn(storage);
      state.respond = failing(400);
      for (const n of range(1, 5)) {
        say(n);
        await pass(600_000);
      }
      expect([taken, queue.size, ofEvent("webhook_event_refused")]).toEqual([[], 5, []]);
      expect(ofEvent("webhook_delayed").at(-1)).toMatchObject({
        ...{ why: "the receiver answered 400, and takes no empty batch", seconds: 300 },
        ...{ hub: "chat", room: "group:a", events: 1 },
      });
      state.respond = fine;
      await pass(300_000);
      expect(taken).toEqual(range(1, 5));
    }));

  it.each([0, 1])(
    "is kept while some instances of the receiver have a wrong secret still: %i",
    (turn) =>
      withStorage(async (storage) => {
        const { say, state, attempts, taken, pass } = senderOn(storage);
        state.respond = failing(400);
        for (const n of range(1, 3)) say(n);
        await pass(3_600_000);
        let asked = turn;
        state.respond = () => new Response(null, { status: asked++ % 2 === 0 ? 204 : 400 });
        attempts.length = 0;
        await pass(600_000);
        const first = [[], turn === 0 ? [1] : [], [1]];
        expect(attempts.slice(0, 3).map(([, ids]) => ids)).toEqual(first);
        state.respond = fine;
        await pass(300_000);
        expect([taken, ofEvent("webhook_event_refused")]).toEqual([range(1, 3), []]);
      }),
  );

  it("is counted over sleeps and crashes, by its own refusals alone", () =>
    withStorage(async (storage) => {
      let now = 0;
      const wake = async (respond: Respond) => {
        const awake = senderOn(storage, { now });
        awake.state.respond = respond;
        if (now === 0) awake.say(1);
        if (now === 0) awake.say(2);
        awake.sender.run();
        await awake.idle();
        now = awake.sender.due(now) ?? now;
        return awake;
      };
      for (const status of [400, 503, 400, 400, 503, 400]) await wake(failing(status));
      expect(ofEvent("webhook_event_refused")).toEqual([]);
      const { attempts, queue } = await wake(refusing(400, 1));
      expect(attempts.map(([, ids]) => ids)).toEqual([[1], [], [2]]);
      expect([ofEvent("webhook_event_refused").length, queue.size]).toEqual([1, 0]);
    }));

  it("is given up as soon after an outage as without one, which hurries no other attempt", () =>
    withStorage(async (storage) => {
      const { say, state, attempts, pass } = senderOn(storage);
      state.respond = failing(503);
      say(1);
      say(2);
      await pass(683_000);
      state.respond = refusing(400, 1);
      attempts.length = 0;
      await pass(302_000);
      state.respond = failing(503);
      await pass(600_000);
      state.respond = refusing(400, 1);
      await pass(600_000);
      const times = attempts.filter(([, [id]]) => id === 1).map(([at]) => at / 1_000 - 983);
      expect(times).toEqual([0, 1, 3, 303, 603, 608, 623]);
      expect(ofEvent("webhook_event_refused")).toHaveLength(1);
    }));

  it("has the same id at each attempt, which no other request has", () =>
    withStorage(async (storage) => {
      const { say, state, messages, pass } = senderOn(storage);
      state.respond = refusing(400, 2);
      say(1, 2, 3);
      await pass(60_000);
      const ids = messages.map(({ id, body }) => `${id} ${JSON.parse(body).length}`);
      const repeated = ["e2-1 1", "e2-1 1", "e2-1 1", "e2-1 1", "e2-1 1"];
      expect(ids).toEqual(["e1-3 3", "e1-1 1", ...repeated, "e2-1-0 0", "e3-1 1"]);
    }));

  it("writes no further row where nothing is refused", () =>
    withStorage(async (storage) => {
      const put = vi.spyOn(storage.kv, "put");
      const { say, pass, taken } = senderOn(storage);
      say(1, 2);
      say(3);
      await pass(60_000);
      expect([taken, put.mock.calls]).toEqual([[1, 2, 3], []]);
    }));
});

describe("events of one row", () => {
  it.each([
    ['{"a":"},{"}', '{"b":[{"c":{}}]}', '{"d":"\\"}"}'],
    ['{"n":9007199254740993,"m":1.0}', '{ "spaced" : [ {} , {} ] }'],
    [`{"long":"${String.raw`\\\"`.repeat(50_000)}"}`, '{"z":1}'],
  ])("are sent alone with the texts that they have: %#", (...data) =>
    withStorage(async (storage) => {
      const { queue, sender, state, messages, pass } = senderOn(storage);
      const texts = data.map((text, n) => `{"id":"e${n}","type":"t","n":${n},"data":${text}}`);
      state.respond = (message) =>
        new Response(null, { status: idsIn(message).length > 1 ? 413 : 204 });
      queue.add(
        texts.map((text, n) => ({ id: `e${n}`, text })),
        0,
      );
      sender.start();
      await pass(60_000);
      const sent = [texts.join(), ...texts].map((text) => `[${text}]`);
      // Not `toEqual`: it would print 200,000 characters.
      expect(messages.length === sent.length).toBe(true);
      expect(messages.every(({ body }, n) => body === sent[n])).toBe(true);
      expect(queue.size).toBe(0);
    }),
  );

  it("keep their age and their order before later ones", () =>
    withStorage(async (storage) => {
      const { say, state, taken, pass, queue, clock } = senderOn(storage);
      state.respond = failing(400);
      say(1, 2, 3);
      await pass(600_000);
      say(4);
      expect([queue.size, queue.since]).toEqual([4, 0]);
      await pass(DAY_MS - 300_000);
      expect(ofEvent("webhook_events_dropped")).toMatchObject([{ events: 3 }]);
      state.respond = fine;
      await pass(300_000);
      expect([taken, queue.size, clock.now]).toEqual([[4], 0, DAY_MS + 600_000]);
    }));
});
