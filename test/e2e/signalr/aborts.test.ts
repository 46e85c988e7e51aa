// A hub that remembers groups, while the server dies and wires break under load: stock clients that come back are in
// their groups again and get what they missed there, once and in order, and presence is right again.

import { HubConnectionState } from "@microsoft/signalr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OwnEndpoint } from "../../support/endpoint.ts";
import { BREAKS } from "../../support/proxy.ts";
import { chance } from "../../support/seed.ts";
import { TEST_MS } from "../../support/patience.ts";
import { eventually, within } from "../client.ts";
import { pause } from "../load.ts";
import { Account } from "./account.ts";
import type { Guest } from "./connections.ts";
import {
  come,
  PATIENT,
  startFaultyEndpoint,
  startFaultyEngine,
  textsOf,
  type Faulty,
} from "./faults.ts";

let engine: Faulty<OwnEndpoint>;
let dev: Faulty;
beforeAll(
  async () =>
    void ([engine, dev] = await Promise.all([startFaultyEngine(), startFaultyEndpoint()])),
);
afterAll(() => Promise.all([engine, dev].map((one) => one[Symbol.asyncDispose]())));

const LONG = process.env["DORMOUSE_LONG"] === "1";
const KILLS = LONG ? 30 : 4;
const CUTS = LONG ? 300 : 30;
const LISTENERS = 4;
const SPEAKERS = 2;
/** Two of them: the room keeps 100 messages, which is two seconds. */
const EVERY_MS = 40;
/** A user who is gone is said to have left after 5 s, and at whole seconds. */
const GRACE_MS = 10_000;
/** The server hears of an RST or a FIN at once; a busy machine takes its time. */
const NOTICED_MS = 250;
/** How much longer each listener stays away than the one before: what is said then is not under way. */
const LONGER_MS = 200;

const HUB = "remembering";

interface Scene {
  readonly faulty: Faulty;
  readonly group: string;
  readonly account: Account;
}

/** Joins once; from then on the hub remembers. */
async function listening(i: number, { faulty, group, account }: Scene): Promise<Guest> {
  const [name, delays] = [`l${i}`, [LONGER_MS * i, ...PATIENT]];
  const one = await come(faulty, HUB, { name, via: faulty.proxy, delays });
  const hear = account.listener(name);
  one.connection.on("Said", hear);
  await one.invoke("Join", group);
  return one;
}

/** Says something now and then while it is connected, until it is stopped. What fails may have been said or not. */
async function speaking(name: string, { faulty, group, account }: Scene) {
  const one = await come(faulty, HUB, { name, delays: PATIENT });
  const stopped = new AbortController();
  const calls: Promise<unknown>[] = [];
  const say = async (stamp: string): Promise<void> => {
    await one.connection.invoke("Say", group, stamp);
    account.acked(stamp);
  };
  const running = (async () => {
    for (; !stopped.signal.aborted; await pause(EVERY_MS))
      if (one.connection.state === HubConnectionState.Connected)
        calls.push(say(account.stamp(name)).catch(() => {}));
  })();
  const stop = async (): Promise<void> => {
    stopped.abort();
    await running;
    await within(Promise.all(calls), `the answers to ${name}`);
  };
  return { one, stop };
}

const names = (kind: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${kind}${i}`);

async function crowd(stack: AsyncDisposableStack, scene: Scene) {
  const listeners: Guest[] = [];
  for (let i = 0; i < LISTENERS; i++)
    // oxlint-disable-next-line no-await-in-loop -- a crowd comes one by one
    listeners.push(stack.use(await listening(i, scene)));
  const speakers = await Promise.all(names("s", SPEAKERS).map((s) => speaking(s, scene)));
  for (const { one } of speakers) stack.use(one);
  return { listeners, speakers };
}

const membersOf = (one: Guest, group: string) => one.invoke("Members", group);

describe("clients of a hub that remembers their groups", () => {
  it(
    `[R5] are back in them after ${KILLS} kills of the whole server under load, and miss nothing`,
    { timeout: LONG ? 600_000 : TEST_MS },
    async () => {
      await using stack = new AsyncDisposableStack();
      const { endpoint } = engine;
      const dice = chance();
      const account = new Account();
      const { listeners, speakers } = await crowd(stack, {
        ...{ faulty: engine, group: "killed", account },
      });
      for (let kill = 0; kill < KILLS; kill++) {
        await pause(300 + dice.below(700));
        const back = listeners.map(backAgain);
        const over = names("l", LISTENERS).map((name) => account.broke(name));
        await endpoint.kill();
        for (const tell of over) tell();
        await endpoint.restart();
        await Promise.all(back);
        expect(await membersOf(listeners[0]!, "killed"), `after kill ${kill}`).toEqual({
          users: LISTENERS,
          connections: LISTENERS,
        });
      }
      await stopAndSettle(speakers, account);
      expect(account.violations()).toEqual([]);
      report("kills", account);
    },
  );

  it(
    `[R1] are back in them after ${CUTS} cuts under load, and miss nothing but what was under way`,
    { timeout: LONG ? 600_000 : TEST_MS },
    async () => {
      await using stack = new AsyncDisposableStack();
      const { proxy } = dev;
      const dice = chance();
      const account = new Account();
      const { listeners, speakers } = await crowd(stack, {
        ...{ faulty: dev, group: "cut", account },
      });
      let left = CUTS;
      const churn = async (one: Guest, i: number): Promise<void> => {
        while (left-- > 0) {
          await pause(dice.below(400));
          const back = backAgain(one);
          const how = dice.pick(BREAKS);
          // The server takes one that vanished for present until it is back.
          const known = account.broke(`l${i}`, how === "vanish" ? Infinity : NOTICED_MS);
          expect(proxy.cut(how, `l${i}`)).toBe(1);
          await back;
          known();
        }
      };
      // The first is never cut: it hears all.
      await Promise.all(listeners.map((one, i) => (i === 0 ? undefined : churn(one, i))));
      await stopAndSettle(speakers, account);
      expect(account.violations()).toEqual([]);
      expect(account.missing("l0")).toEqual([]);
      expect(await membersOf(listeners[0]!, "cut")).toEqual({
        users: LISTENERS,
        connections: LISTENERS,
      });
      report("cuts", account);
    },
  );

  it.each(["reset", "fin"] as const)(
    "miss nothing where nothing was said before they were gone (%s)",
    async (how) => {
      const { proxy } = dev;
      const group = `quiet-${how}`;
      await using speaker = await come(dev, HUB, { name: "speaker" });
      const coming = { name: `quiet${how}`, via: proxy, delays: PATIENT, hears: ["Said"] };
      await using one = await come(dev, HUB, coming);
      await one.invoke("Join", group);
      const missing = async (text: string): Promise<void> => {
        const back = backAgain(one);
        proxy.hold();
        expect(proxy.cut(how, coming.name)).toBe(1);
        await isGone(speaker, group);
        await speaker.invoke("Say", group, text);
        proxy.release();
        await back;
        expect(await one.next("Said")).toEqual([text]);
      };
      await missing("first");
      await missing("second");
      expect(textsOf(one)).toEqual(["first", "second"]);
    },
  );

  it("miss nothing that was said between a kill of the whole server and their return", async () => {
    const { endpoint, proxy } = engine;
    const coming = { name: "late", via: proxy, delays: PATIENT, hears: ["Said"] };
    await using one = await come(engine, HUB, coming);
    await one.invoke("Join", "late");
    const missing = async (text: string): Promise<void> => {
      const back = backAgain(one);
      proxy.refuse(true);
      await endpoint.restart();
      await using speaker = await come(engine, HUB, { name: "speaker" });
      await speaker.invoke("Say", "late", text);
      proxy.refuse(false);
      await back;
      expect(await one.next("Said")).toEqual([text]);
    };
    await missing("first");
    await missing("second");
    expect(textsOf(one)).toEqual(["first", "second"]);
  });

  it("[R5] are counted right after a kill: who came back, and not who did not", async () => {
    const { endpoint, proxy } = engine;
    const coming = (name: string) => ({ name, via: proxy, delays: PATIENT });
    await using stays = await come(engine, HUB, coming("stays"));
    await using goes = await come(engine, HUB, { name: "goes" });
    for (const one of [stays, goes]) await one.invoke("Join", "counted");
    expect(await membersOf(stays, "counted")).toEqual({ users: 2, connections: 2 });
    const back = backAgain(stays);
    await endpoint.restart();
    await back;
    const began = performance.now();
    await eventually(
      async () => (await countOf(stays, "counted")) === "1 of 1",
      "who did not come back has left",
    );
    expect(performance.now() - began).toBeLessThan(GRACE_MS);
  });
});

const countOf = async (one: Guest, group: string): Promise<string> => {
  const { users, connections } = (await membersOf(one, group)) as Record<string, number>;
  return `${users} of ${connections}`;
};

/** Users stay for a grace; their connections do not. */
const isGone = (watcher: Guest, group: string): Promise<void> =>
  eventually(async () => (await countOf(watcher, group)).endsWith("of 0"), "it is gone");

const report = (what: string, account: Account): void =>
  console.log(
    `${what}: ${JSON.stringify(account.totals)}, under way and lost: ${names("l", LISTENERS).map((name) => account.missing(name).length)}`,
  );

/** Resolves when it is in a new connection; fails when it has given up. */
function backAgain({ connection }: Guest): Promise<void> {
  return within(
    new Promise((resolve, reject) => {
      connection.onreconnected(() => resolve());
      connection.onclose((error) => reject(error ?? new Error("It gave up.")));
    }),
    "the return of a client",
  );
}

async function stopAndSettle(
  speakers: readonly { stop(): Promise<void> }[],
  account: Account,
): Promise<void> {
  await Promise.all(speakers.map((one) => one.stop()));
  const all = names("l", LISTENERS);
  await eventually(
    async () => all.every((name) => account.lost(name).length === 0),
    "all have heard all",
  ).catch(() => {});
}
