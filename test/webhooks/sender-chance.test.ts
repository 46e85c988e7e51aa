// A sender amid outages, refusals, crashes and sleeps, by chance: each event is delivered in order, or given up if it is
// one that the receiver refuses.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Message } from "../../src/webhooks/webhook-request.ts";
import { range, withStorage } from "../rooms/storage.ts";
import { chance } from "../support/seed.ts";
import { idsIn, senderOn } from "./sender-fixture.ts";

const refused: number[] = [];
beforeEach(() => {
  refused.length = 0;
  for (const level of ["warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation((text: string) => {
      const { event, id } = JSON.parse(text) as { event: string; id: string };
      if (event === "webhook_event_refused") refused.push(Number(id.slice(1)));
    });
});
afterEach(() => vi.restoreAllMocks());

/** The part of requests in which the object crashes, one half of them before the receiver has the events. */
const CRASHES = 0.25;
const never = () => new Promise<Response>(() => {});

it.each(range(1, 5))("loses nothing and keeps the order: %i", () =>
  withStorage(async (storage) => {
    const { next, pick } = chance();
    const some = <T>(...values: T[]): T => pick(values);
    const [clock, taken, bad] = [{ now: 0 }, new Set<number>(), new Set<number>()];
    let isCalm = false;
    const answer = (message: Message): Response => {
      const ids = idsIn(message);
      if (!isCalm && next() < 0.3) return new Response(null, { status: some(401, 429, 500, 503) });
      if (ids.some((id) => bad.has(id))) return new Response(null, { status: some(400, 413, 422) });
      for (const id of ids) taken.add(id);
      return new Response(null, { status: 204 });
    };
    const wake = () => {
      const { promise: crash, resolve } = Promise.withResolvers<void>();
      const awake = senderOn(storage, clock);
      awake.state.respond = (message) => {
        const fate = isCalm ? 1 : next();
        if (fate < CRASHES) resolve();
        if (fate < CRASHES / 2) return never();
        const response = answer(message);
        return fate < CRASHES ? never() : response;
      };
      awake.sender.run();
      return { ...awake, crash };
    };
    let awake = wake();
    let last = 0;
    for (let step = 0; step < 60; step++) {
      for (let row = 0; row < some(0, 1, 2, 3); row++) {
        const events = range(last + 1, (last += some(1, 2, 5, 40)));
        for (const event of events) if (next() < 0.05) bad.add(event);
        awake.say(...events);
      }
      const rest = awake.pass(next() * 20_000).then(() => some(true, false));
      // oxlint-disable-next-line no-await-in-loop -- one wake after another
      if (await Promise.race([rest, awake.crash.then(() => true)])) awake = wake();
    }
    isCalm = true;
    await Promise.race([awake.idle(), awake.crash]);
    awake = wake();
    await awake.pass(86_000_000);
    expect([...taken]).toEqual(range(1, last).filter((event) => !bad.has(event)));
    expect([...new Set(refused)]).toEqual([...bad]);
    expect([awake.queue.size, storage.kv.get("webhook-retry")]).toEqual([0, undefined]);
  }),
);
