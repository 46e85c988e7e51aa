// Stateful reconnect under fault: a stock client whose wire breaks at any moment, under traffic both ways, loses
// nothing, hears and says nothing twice, and every call of it is answered.

import { Subject } from "@microsoft/signalr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BREAKS } from "../../support/proxy.ts";
import { chance } from "../../support/seed.ts";
import { TEST_MS } from "../../support/patience.ts";
import { eventually, within } from "../client.ts";
import { pause } from "../load.ts";
import type { Guest } from "./connections.ts";
import {
  come,
  shareFaultyEndpoint,
  startFaultyEngine,
  textsOf,
  type Faulty,
  type ProtocolName,
} from "./faults.ts";

let faulty: Faulty;
beforeAll(async () => void (faulty = await shareFaultyEndpoint()));
afterAll(() => faulty[Symbol.asyncDispose]());

const LONG = process.env["DORMOUSE_LONG"] === "1";
const DROPS = LONG ? 300 : 20;
const KILLS = LONG ? 20 : 3;
/** Longer than the server waits before it confirms what it got. */
const CONFIRM_MS = 1_300;
/** Two say something each time, one of them over the wire that is cut: a connection may call 50 times a second. */
const EVERY_MS = 40;
/** Calls of one without an answer: however long a server is away, all of them come at once when it is back. */
const MOST_OPEN = 20;

/** Says numbered messages to the group, `hows` in turn, until it is stopped; notes those that were acknowledged. */
function speaking(name: string, { connection }: Guest, { group, hows, first = 0 }: Speech) {
  const said: string[] = [];
  const acked: string[] = [];
  const refused: string[] = [];
  const calls: Promise<unknown>[] = [];
  const stopped = new AbortController();
  let open = 0;
  const say = async (text: string, how: How): Promise<void> => {
    open++;
    try {
      await connection[how]("Say", group, text);
      acked.push(text);
    } catch (error) {
      refused.push((error as Error).message);
    }
    open--;
  };
  const running = (async () => {
    for (let n = first; !stopped.signal.aborted; await pause(EVERY_MS)) {
      if (open >= MOST_OPEN) continue;
      said.push(`${name}/${n}`);
      calls.push(say(`${name}/${n}`, hows[n++ % hows.length]!));
    }
  })();
  const stop = async (): Promise<void> => {
    stopped.abort();
    await running;
    await within(Promise.all(calls), `the answers to ${name}`);
  };
  return { said, acked, refused, stop };
}

type How = "invoke" | "send";

interface Speech {
  readonly group: string;
  readonly hows: readonly How[];
  /** The number of the first message. */
  readonly first?: number;
}

const saidBy = (name: string, texts: readonly string[]): string[] =>
  texts.filter((text) => text.startsWith(`${name}/`));

describe.each<ProtocolName>(["JSON", "MessagePack"])("a client of %s", (protocol) => {
  const group = `drops-${protocol}`;
  const enter = (name: string, more: object = {}, at = faulty) =>
    come(at, "signalr-stateful", { name, protocol, hears: ["Said"], ...more });

  it(
    `[R1] loses and repeats nothing, in either direction, over ${DROPS} drops under load`,
    { timeout: LONG ? 600_000 : TEST_MS },
    async () => {
      const { proxy } = faulty;
      const dice = chance();
      const name = `alice${protocol}`;
      const before = proxy.opened(name);
      await using alice = await enter(name, { via: proxy, stateful: true });
      await using bob = await enter("bob");
      const id = alice.connection.connectionId;
      for (const one of [alice, bob]) await one.invoke("Join", group);
      const numbers = new Subject<number>();
      const sum = alice.connection.invoke<number>("Sum", numbers);
      const speech: Speech = { group, hows: ["invoke", "send"] };
      const [hers, his] = [speaking(name, alice, speech), speaking("bob", bob, speech)];
      let [drops, total] = [0, 0];
      while (drops < DROPS) {
        await pause(dice.below(100));
        numbers.next(++drops);
        total += drops;
        expect(proxy.cut(dice.pick(BREAKS), name)).toBe(1);
        // Some are dropped again before a word was said on the new socket.
        if (drops < DROPS && dice.next() < 0.2) {
          const opened = proxy.opened(name);
          await eventually(async () => proxy.opened(name) > opened, "it is let in again");
          drops += proxy.cut("fin", name);
        }
        expect(await alice.invoke("Echo", drops)).toBe(drops);
      }
      const counted = alice.items("Counter", 20, 5);
      proxy.cut("reset", name);
      numbers.complete();
      await Promise.all([hers.stop(), his.stop()]);
      const all = hers.said.length + his.said.length;
      await eventually(
        async () => [alice, bob].every(({ heard }) => heard.length >= all),
        "both have heard all",
      );
      expect(await counted).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
      expect([...hers.refused, ...his.refused]).toEqual([]);
      expect(saidBy(name, textsOf(bob))).toEqual(hers.said);
      expect(saidBy("bob", textsOf(alice))).toEqual(his.said);
      expect(textsOf(alice)).toEqual(textsOf(bob));
      expect(alice.connection.connectionId).toBe(id);
      expect(proxy.opened(name) - before).toBe(DROPS + 2);
      expect(await sum).toBe(total);
      console.log(`${protocol}: ${drops} drops, ${hers.said.length} up, ${his.said.length} down`);
    },
  );

  it("is told what has arrived, though it was away when that was to be said", async () => {
    const { proxy } = faulty;
    const name = `away${protocol}`;
    await using alice = await enter(name, { via: proxy, stateful: true });
    await using bob = await enter("bob");
    await bob.invoke("Join", name);
    // More than the client's buffer of 100,000: it waits until it hears that they arrived.
    const sent = Array.from({ length: 4 }, () => alice.connection.send("Echo", "x".repeat(30_000)));
    await alice.invoke("Say", name, "arrived");
    await bob.next("Said");
    proxy.hold();
    expect(proxy.cut("reset", name)).toBe(1);
    await pause(CONFIRM_MS);
    proxy.release();
    await within(Promise.all(sent), "the confirmation");
  });

  it(
    `[R5] keeps its connection, its groups and its order over ${KILLS} kills of the whole server`,
    { timeout: LONG ? 600_000 : TEST_MS },
    async () => {
      await using engine = await startFaultyEngine();
      const { endpoint, proxy } = engine;
      const dice = chance();
      const name = `kept${protocol}`;
      await using alice = await enter(name, { via: proxy, stateful: true }, engine);
      const id = alice.connection.connectionId;
      await alice.invoke("Join", name);
      const acked: string[] = [];
      let [hers, his] = [0, 0];
      for (let kill = 0; kill < KILLS; kill++) {
        await using bob = await enter("bob", {}, engine);
        const both = [
          speaking("alice", alice, { group: name, hows: ["invoke"], first: hers }),
          speaking("bob", bob, { group: name, hows: ["invoke"], first: his }),
        ] as const;
        await pause(100 + dice.below(400));
        proxy.hold();
        await endpoint.restart();
        proxy.release();
        expect(await alice.invoke("Echo", kill)).toBe(kill);
        await Promise.all(both.map((one) => one.stop()));
        acked.push(...both.flatMap((one) => one.acked));
        [hers, his] = [hers + both[0].said.length, his + both[1].said.length];
      }
      expect(alice.connection.connectionId).toBe(id);
      const heard = () => textsOf(alice);
      const missing = () => acked.filter((text) => !heard().includes(text));
      await eventually(
        async () => missing().length === 0,
        "all that was acknowledged is heard",
      ).catch(() => {});
      expect(missing()).toEqual([]);
      for (const one of ["alice", "bob"]) {
        const numbers = saidBy(one, heard()).map((text) => Number(text.split("/")[1]));
        const inOrder = [...new Set(numbers)].toSorted((a, b) => a - b);
        expect({ one, numbers }).toEqual({ one, numbers: inOrder });
      }
      console.log(`${protocol}: ${KILLS} kills, ${acked.length} acked of ${hers + his}`);
    },
  );
});
