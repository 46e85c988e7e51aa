// `kill -9` of the engine and a restart on the same storage: what was acknowledged is there, positions go on, and
// groups, presence and users are right for whoever comes back and whoever does not.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../support/engine.ts";
import type { OwnEndpoint } from "../support/endpoint.ts";
import { Ledger } from "../support/ledger.ts";
import { chance } from "../support/seed.ts";
import { enter, eventually, type Frame } from "./client.ts";
import { barrier, historyOf, pause, Publisher, Subscriber } from "./load.ts";

let endpoint: OwnEndpoint;
beforeAll(async () => void (endpoint = await startEngine()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const LONG = process.env["DORMOUSE_LONG"] === "1";
const KILLS = LONG ? 100 : 10;
/** Of each of four publishers: all together must fit into the room's history of 100. */
const BURST = 15;

describe("an engine that is killed under load", () => {
  it(
    `[R5][R3] loses nothing it acknowledged and repeats no number, ${KILLS} times`,
    { timeout: LONG ? 900_000 : 300_000 },
    async () => {
      const dice = chance();
      const ledger = new Ledger();
      const load = { endpoint, ledger, room: "group:kill" };
      using scope = new DisposableStack();
      const subscribers = Array.from({ length: 5 }, (_, i) =>
        scope.use(new Subscriber(`s${i}`, load)),
      );
      const publishers = Array.from({ length: 4 }, (_, i) =>
        scope.use(new Publisher(`p${i}`, i % 2 === 0 ? "group:kill" : "group:elsewhere", load)),
      );
      await Promise.all(subscribers.map((one) => one.enter()));
      for (let kill = 0; kill < KILLS; kill += 1) {
        for (const publisher of publishers) publisher.start(20);
        await pause(dice.below(200));
        // Killed in the middle of these: some are saved and unanswered, some not even saved.
        for (const publisher of publishers) {
          if (dice.next() < 0.3) publisher.deafen();
          publisher.burst(BURST);
        }
        await pause(dice.below(12));
        await endpoint.kill();
        const stopped = publishers.map((one) => one.stop());
        await endpoint.restart();
        await Promise.all(subscribers.map((one) => one.enter()));
        await Promise.all(stopped);
        expect(await barrier(ledger, subscribers), `after kill ${kill}`).toEqual([]);
        ledger.history(await historyOf(subscribers[0]!));
        expect(ledger.violations, `after kill ${kill}`).toEqual([]);
      }
      expect(publishers.flatMap(({ refused }) => refused)).toEqual([]);
      const resumed = subscribers.flatMap(({ hellos }) => hellos.slice(1));
      expect(resumed.filter(({ recovered }) => !recovered)).toEqual([]);
      expect(resumed).toHaveLength(KILLS * subscribers.length);
      expect(ledger.totals.acked).toBe(ledger.totals.sent);
      // All of them were back within the grace, every time.
      expect(subscribers.flatMap(({ presence }) => presence.left)).toEqual([]);
    },
  );
});

const userIds = ({ params }: Frame): string[] =>
  params.present.members.map((one: { userId: string }) => one.userId);

describe("after a kill and a restart", () => {
  it("[R5] those who come back stay, those who do not leave after the grace, once", async () => {
    for (const user of ["stays", "goes", "goes"])
      await enter(endpoint, "chat/group:after", { user });
    await endpoint.restart();
    using watcher = await enter(endpoint, "chat/group:after", { user: "stays" });
    expect(userIds(watcher.hello)).toEqual(["goes", "stays"]);
    const left = await watcher.next(({ params }) => params?.left?.length > 0, "the leave");
    expect(left.params).toMatchObject({ users: 1, connections: 1, left: ["goes"] });
    expect((await watcher.said("userLeft")).params).toEqual(["goes", "after"]);
    const { members } = (await watcher.result("$/presence", {})) as { members: Named[] };
    expect(members).toMatchObject([{ userId: "stays", connections: 1 }]);
    const flaps = watcher.messages("$/presence").filter(({ params }) => params.joined.length > 0);
    expect(flaps).toEqual([]);
  });

  it("[R5] what users tracked is still shown", async () => {
    using before = await enter(endpoint, "chat/group:track", { user: "alice" });
    await before.result("$/track", { state: { typing: true } });
    await endpoint.restart();
    using after = await enter(endpoint, "chat/group:track", { user: "alice" });
    expect(after.hello.params.present.members).toMatchObject([
      { userId: "alice", connections: 1, state: { typing: true } },
    ]);
  });

  it("[R5] a room elsewhere forgets those whose connections died, by the sweep", async () => {
    await enter(endpoint, "presence/group:a", { user: "gone" });
    using seer = await enter(endpoint, "presence/group:b", { user: "seer" });
    await seer.next(online("gone", "seer"), "both online");
    await endpoint.restart();
    using watcher = await enter(endpoint, "presence/group:b", { user: "seer" });
    // The hub looks every 15 s, and the grace of 5 s comes on top.
    await eventually(
      async () => {
        const users = (await watcher.result("getOnlineUsers")) as string[];
        return users.join() === "seer";
      },
      "the room has swept",
      25_000,
    );
    // The hook that sends it runs after the sweep, and may be behind the answer.
    const left = () => watcher.messages("userLeft").map(({ params }) => params);
    await eventually(async () => left().length > 0, "the room has said so");
    expect(left()).toEqual([["gone"]]);
  }, 45_000);

  it("[R5] a join that was under way is either done or undone, and works again", async () => {
    const dice = chance();
    for (let i = 0; i < 4; i += 1) {
      using before = await enter(endpoint, "chat/group:home", { user: "alice" });
      const joins = ["x", "y", "z"].map((room) =>
        before.call("joinRoom", [`${room}${i}`]).catch(() => undefined),
      );
      await pause(dice.below(10));
      await endpoint.restart();
      await Promise.all(joins);
      using after = await enter(endpoint, "chat/group:home", { user: "alice" });
      using bob = await enter(endpoint, `chat/group:y${i}`, { user: "bob" });
      await bob.result("sendToRoom", [`y${i}`, "to nobody else"]);
      await after.result("joinRoom", [`y${i}`]);
      await bob.result("sendToRoom", [`y${i}`, "to alice"]);
      const heard = await after.said("receiveMessage");
      expect(heard).toMatchObject({ params: ["bob", "to alice"], room: `group:y${i}` });
      expect(await bob.result("$/presence", {})).toMatchObject({ users: 2, connections: 2 });
    }
  });
});

interface Named {
  readonly userId: string;
  readonly connections: number;
}

const online =
  (...users: string[]) =>
  ({ method, params }: Frame): boolean =>
    method === "onlineUsersUpdated" && JSON.stringify(params) === JSON.stringify([users]);
