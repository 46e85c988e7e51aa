// Aborts and failing storage: what is acknowledged is kept, what is not is said once when it is said again.

import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { enter, positionOf, roomAt, type Client } from "../client.ts";
import { sizeOf } from "../../support/seed.ts";
import { NOTHING, storedIn } from "../../support/stored.ts";
import { range } from "../storage.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const said = (word: string) => ({ id: word, target: "said", params: JSON.stringify([word]) });
const wordsOf = (client: Client) => client.messages("said").map(({ params }) => params[0]);
const historyOf = async (room: string) =>
  (await roomAt(room).history({})).entries.map(({ params }) => JSON.parse(params)[0]);

describe("a room that is aborted", () => {
  it("ends its sockets with 1006 and keeps its log", async () => {
    const room = "orders/order:aborted";
    using client = await enter(room);
    const position = await roomAt(room).publish(said("kept"));
    await abortAllDurableObjects();
    expect((await client.closed).code).toBe(1006);
    expect(await historyOf(room)).toEqual(["kept"]);
    expect(await roomAt(room).publish(said("next"))).toEqual({
      ...position,
      offset: position.offset + 1,
    });
  });

  it("says who did not come back, after the grace and by alarm, and nothing of who did", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const room = "orders/order:aborted-presence";
    using before = await enter(room, { user: "back" });
    using gone = await enter(room, { user: "gone" });
    expect(gone.hello.params.present.users).toBe(2);
    await before.heardFrame(({ params }) => params?.users === 2);
    await abortAllDurableObjects();
    using back = await enter(room, { user: "back" });
    expect(back.hello.params.present).toMatchObject({ users: 2, connections: 1 });
    vi.setSystemTime(Date.now() + 6_000);
    expect(await runDurableObjectAlarm(roomAt(room))).toBe(true);
    const { params } = await back.next(({ params: { left } = {} }) => left?.length > 0);
    expect(params).toEqual({ users: 1, connections: 1, joined: [], left: ["gone"], more: false });
    expect(back.messages("$/presence").flatMap((frame) => frame.params.joined)).toEqual([]);
  });

  it("looks after those it lost by itself, where nobody comes", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const room = "orders/order:aborted-alone";
    using client = await enter(room);
    await client.heardFrame(({ method }) => method === "$/presence");
    await abortAllDurableObjects();
    for (let i = 0; i < 3; i++) {
      vi.setSystemTime(Date.now() + 130_000);
      await runDurableObjectAlarm(roomAt(room));
    }
    expect(await roomAt(room).presence({})).toMatchObject({ users: 0, connections: 0 });
    // The last alarms erase the log, whose age has passed, and end the room.
    let alarms = 0;
    do vi.setSystemTime(Date.now() + 1_300_000);
    while ((await runDurableObjectAlarm(roomAt(room))) && ++alarms < 9);
    expect(alarms).toBeLessThan(6);
    expect(await storedIn(roomAt(room))).toEqual(NOTHING);
  });
});

/** Numbers from a seed, so that a failure can be seen again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Waits in steps of the event loop: the places where an abort can fall. */
async function steps(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve));
}

const ABORTS = sizeOf(60, 300);

describe("a publish", () => {
  it(
    `[R3] is kept if it was acknowledged, and said once if it was repeated, over ${ABORTS} aborts`,
    { timeout: ABORTS * 1_000 },
    async () => {
      const seed = Date.now() >>> 0;
      const random = seeded(seed);
      const room = "orders/order:R3";
      const [acked, unacked, all]: [string[], string[], string[]] = [[], [], []];
      for (const round of range(1, ABORTS)) {
        const words = range(1, 5).map((n) => `${round}.${n}`);
        all.push(...words);
        const publishing = words.map(async (word) => {
          await steps(Math.floor(random() * 4));
          await roomAt(room).publish(said(word));
          return word;
        });
        const results = Promise.allSettled(publishing);
        await steps(Math.floor(random() * 8));
        await abortAllDurableObjects();
        const outcomes = await results;
        for (const [i, { status }] of outcomes.entries())
          (status === "fulfilled" ? acked : unacked).push(words[i]!);
        const kept = await historyOf(room);
        expect(kept, `seed ${seed}, round ${round}`).toEqual(
          expect.arrayContaining(acked.slice(-50)),
        );
        for (const word of words) await roomAt(room).publish(said(word));
        const now = (await historyOf(room)).filter((word) => word.startsWith(`${round}.`));
        expect(now.toSorted(), `seed ${seed}, round ${round}`).toEqual(words);
      }
      console.log(`seed ${seed}: ${acked.length} acknowledged, ${unacked.length} not`);
      const { entries } = await roomAt(room).history({ limit: 500 });
      const offsets = entries.map(({ offset }) => offset);
      expect(offsets).toEqual(range(offsets[0]!, offsets.at(-1)!));
      expect(Math.min(acked.length, unacked.length), `seed ${seed}`).toBeGreaterThan(0);
    },
  );

  it("[R6] that cannot be saved is an error to its caller, reaches nobody, and leaves no hole", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const room = "orders/order:R6";
    using client = await enter(room);
    await roomAt(room).publish(said("before"));
    await runInDurableObject(roomAt(room), (_, { storage: { sql } }) => {
      const exec = sql.exec.bind(sql);
      vi.spyOn(sql, "exec").mockImplementation((query: string, ...values: unknown[]) => {
        if (!query.startsWith("INSERT OR REPLACE INTO log")) return exec(query, ...values);
        vi.mocked(sql.exec).mockRestore();
        throw new Error("The disk is full.");
      });
    });
    const [refused] = await Promise.allSettled([
      (async () => roomAt(room).publish(said("lost")))(),
    ]);
    expect(refused).toMatchObject({ status: "rejected", reason: { code: "internal" } });
    await roomAt(room).publish(said("after"));
    await client.heardFrame(({ params }) => params?.[0] === "after");
    expect(wordsOf(client)).toEqual(["before", "after"]);
    expect(await historyOf(room)).toEqual(["before", "after"]);
    const offsets = client.messages("said").map((frame) => positionOf(frame).offset);
    expect(offsets[1]).toBe(offsets[0]! + 1);
    await roomAt(room).publish(said("lost"));
    expect(await historyOf(room)).toEqual(["before", "after", "lost"]);
  });
});

/** Every write of the log fails until it is mended. */
async function breakLog(room: string): Promise<() => Promise<void>> {
  const exec = (query: string) =>
    runInDurableObject(roomAt(room), (_, { storage }) => void storage.sql.exec(query));
  await exec(
    "CREATE TRIGGER full BEFORE INSERT ON log BEGIN SELECT RAISE(ABORT, 'The disk is full.'); END",
  );
  return () => exec("DROP TRIGGER full");
}

describe("presence that cannot be saved", () => {
  it("is said with what can: nobody has joined without a word", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const room = "orders/order:unsaved-join";
    using alice = await enter(room, { user: "alice" });
    await alice.heardFrame(({ method }) => method === "$/presence");
    const mend = await breakLog(room);
    const bob = await enter(room, { user: "bob" });
    await expect.poll(() => logged.mock.calls.length).toBe(1);
    await mend();
    const carol = await enter(room, { user: "carol" });
    await alice.heardFrame(({ params }) => params?.users === 3);
    const joined = alice
      .messages("$/presence")
      .map(({ params }) => params.joined.map(({ userId }: { userId: string }) => userId));
    expect(joined).toEqual([["alice"], ["bob", "carol"]]);
    for (const one of [bob, carol]) one[Symbol.dispose]();
  });

  it("is no state: who tracks it is told so, and may again", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const room = "orders/order:unsaved-state";
    using alice = await enter(room, { user: "alice" });
    await alice.heardFrame(({ method }) => method === "$/presence");
    const mend = await breakLog(room);
    const refused = await alice.call("$/track", { state: "busy" });
    expect(refused.error?.data.code).toBe("internal");
    const shown = (await alice.call("$/presence")).result.members;
    expect(shown).toMatchObject([{ userId: "alice", state: null }]);
    await mend();
    expect((await alice.call("$/track", { state: "here" })).error).toBeUndefined();
    const tracked = alice.messages("$/presence").flatMap(({ params }) => params.tracked ?? []);
    expect(tracked).toEqual([{ userId: "alice", state: "here" }]);
  });
});
