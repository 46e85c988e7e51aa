// Clients that are cut in every way and come back, while others publish: nothing is lost, repeated or reordered.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../support/endpoint.ts";
import { sharedEndpoint } from "../support/shared-endpoint.ts";
import { Ledger } from "../support/ledger.ts";
import { chance, type Chance } from "../support/seed.ts";
import { TEST_MS } from "../support/patience.ts";
import { enter, type Client, type Cut } from "./client.ts";
import { barrier, historyOf, pause, Publisher, Subscriber } from "./load.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

/** docs/design/reliability.md#or4. */
const cutOf = ({ next }: Chance): Cut => {
  const x = next();
  return x < 0.35 ? "reset" : x < 0.55 ? "fin" : x < 0.75 ? "close" : "half-open";
};

const LONG = process.env["DORMOUSE_LONG"] === "1";
const CYCLES = LONG ? 1_500 : 150;
const SUBSCRIBERS = 10;
const PUBLISHERS = 4;

describe("subscribers who are cut and resume", () => {
  it(
    `[R1] hear everything once and in order, over ${CYCLES} cuts under load`,
    { timeout: LONG ? 900_000 : TEST_MS },
    async () => {
      const dice = chance();
      const ledger = new Ledger();
      const load = { endpoint, ledger, room: "group:churn" };
      using scope = new DisposableStack();
      const subscribers = Array.from({ length: SUBSCRIBERS }, (_, i) =>
        scope.use(new Subscriber(`s${i}`, load)),
      );
      const publishers = Array.from({ length: PUBLISHERS }, (_, i) =>
        scope.use(new Publisher(`p${i}`, i % 2 === 0 ? "group:churn" : "group:elsewhere", load)),
      );
      await Promise.all(subscribers.map((one) => one.enter()));
      for (const publisher of publishers) publisher.start(50);
      let left = CYCLES;
      const churn = async (mine: Subscriber): Promise<void> => {
        while (left-- > 0) {
          await pause(dice.below(500));
          mine.cut(cutOf(dice));
          // Within the window: the room keeps 100 messages, and 80 are said in a second.
          await pause(dice.below(500));
          await mine.enter();
        }
      };
      await Promise.all(subscribers.slice(1).map(churn));
      await Promise.all(publishers.map((one) => one.stop()));
      expect(await barrier(ledger, subscribers)).toEqual([]);
      ledger.history(await historyOf(subscribers[0]!));
      const resumed = subscribers.flatMap(({ hellos }) => hellos.slice(1));
      expect(ledger.violations).toEqual([]);
      expect(publishers.flatMap(({ refused }) => refused)).toEqual([]);
      expect(resumed.filter(({ recovered }) => !recovered)).toEqual([]);
      expect(resumed).toHaveLength(CYCLES);
      expect(ledger.totals.acked).toBe(ledger.totals.sent);
      const returns = subscribers.flatMap((one) => one.returns.slice(1)).toSorted((a, b) => a - b);
      expect(returns[Math.floor(returns.length * 0.99)]).toBeLessThan(2_000);
    },
  );

  it("[R1] are never said to have left while they come back within the grace", async () => {
    const load = { endpoint, ledger: new Ledger(), room: "group:flap" };
    using watcher = new Subscriber("watcher", load);
    using flapping = new Subscriber("flapping", load);
    await watcher.enter();
    await flapping.enter();
    for (const how of ["reset", "fin", "away", "half-open"] as const) {
      flapping.cut(how);
      await flapping.enter();
    }
    await watcher.client!.result("sendToRoom", ["flap", "p/0"]);
    expect(watcher.presence).toEqual({ joined: ["watcher", "flapping"], left: [] });
  });
});

/** Where the room stands. */
async function topOf(client: Client): Promise<string> {
  const { position } = (await client.result("$/history", { limit: 0 })) as { position: string };
  return position;
}

describe("subscribers who come back too late", () => {
  const RESUMES = 40;

  it(`[R2] are told so and get nothing, ${RESUMES} times, by count and by epoch`, async () => {
    const room = "group:late";
    using publisher = await enter(endpoint, `chat/${room}`, { user: "publisher" });
    const start = publisher.hello.params.position as string;
    for (let i = 0; i < 120; i += 1) {
      if (i % 50 === 49) await pause(1_000); // 50 calls a second are allowed.
      await publisher.result("sendToRoom", ["late", `${i}`]);
    }
    const [epoch = "", top] = (await topOf(publisher)).split(":");
    const stale = [start, `${epoch}:5`, `${epoch}:${Number(top) + 50}`, `other:${top}`, "other:0"];
    for (let i = 0; i < RESUMES; i += 1) {
      using late = await enter(endpoint, `chat/${room}`, {
        user: "late",
        since: stale[i % stale.length]!,
      });
      expect(late.hello.params).toMatchObject({ recovered: false, replayed: 0 });
      await late.result("$/presence", {});
      const old = late.heard.filter(
        ({ position }) => position !== undefined && Number(position.split(":")[1]) <= Number(top),
      );
      expect(old).toEqual([]);
    }
  });

  it("[R2] are recovered from the last position that is still whole, and not from one before", async () => {
    const room = "group:edge";
    using publisher = await enter(endpoint, `chat/${room}`, { user: "publisher" });
    for (let i = 0; i < 110; i += 1) {
      if (i % 50 === 49) await pause(1_000);
      await publisher.result("sendToRoom", ["edge", `${i}`]);
    }
    const { messages } = (await publisher.result("$/history", {})) as {
      messages: { position: string }[];
    };
    const [epoch, first] = messages[0]!.position.split(":");
    using inside = await enter(endpoint, `chat/${room}`, {
      user: "publisher",
      since: `${epoch}:${Number(first) - 1}`,
    });
    expect(inside.hello.params).toMatchObject({ recovered: true, replayed: messages.length });
    using outside = await enter(endpoint, `chat/${room}`, {
      user: "publisher",
      since: `${epoch}:${Number(first) - 2}`,
    });
    expect(outside.hello.params).toMatchObject({ recovered: false, replayed: 0 });
  });
});
