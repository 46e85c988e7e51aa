// A sender over a real queue. Clock, alarm and receiver belong to the test.

import { expect } from "vitest";
import type { Message } from "../../src/webhooks/webhook-request.ts";
import { Queue } from "../../src/webhooks/webhook-queue.ts";
import { Sender } from "../../src/webhooks/webhook-sender.ts";

export type Respond = (message: Message) => Response | Promise<Response>;

export const DAY_MS = 86_400_000;
export const fine: Respond = () => new Response(null, { status: 204 });
export const failing = (status: number, headers: Record<string, string> = {}) => {
  return () => new Response("no", { status, headers });
};
export const refused: Respond = () => Promise.reject(new TypeError("connection refused"));
export const idsIn = ({ body }: Message) => (JSON.parse(body) as { n: number }[]).map(({ n }) => n);

/** A sender whose alarm fires as the test advances its clock. */
export function senderOn(
  { sql, kv }: Pick<DurableObjectStorage, "sql" | "kv">,
  clock = { now: 0 },
) {
  const queue = new Queue(sql, { events: 10_000, chars: 1e7, ageMs: DAY_MS });
  const state = {
    ...{ respond: fine, alarm: undefined as number | undefined, underWay: 0 },
    held: async () => {},
  };
  const attempts: [at: number, ids: number[]][] = [];
  const messages: Message[] = [];
  const taken: number[] = [];
  const works: Promise<unknown>[] = [];
  const counts: Record<string, number> = {};
  const sender = new Sender({
    ...{
      queue,
      kv,
      now: () => clock.now,
      random: () => 0,
      about: { hub: "chat", room: "group:a" },
    },
    count: (what, number) => void (counts[what] = (counts[what] ?? 0) + number),
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
    const events = numbers.map((n) => ({
      id: `e${n}`,
      text: JSON.stringify({ n, id: `e${n}`, type: "t" }),
    }));
    sender.start(queue.add(events, clock.now));
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
  return { queue, sender, state, attempts, messages, taken, counts, say, pass, idle, clock };
}
