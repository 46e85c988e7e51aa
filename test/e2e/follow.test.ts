// Connections in rooms of other objects, by hub methods: they hear those in order, under their own names and numbers.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../support/engine.ts";
import type { OwnEndpoint } from "../support/endpoint.ts";
import { Ledger } from "../support/ledger.ts";
import { chance } from "../support/seed.ts";
import { CUTS, enter, type Client } from "./client.ts";
import { barrier, pause, Publisher, Subscriber } from "./load.ts";

let endpoint: OwnEndpoint;
beforeAll(async () => void (endpoint = await startEngine()));
afterAll(() => endpoint[Symbol.asyncDispose]());

describe("a connection in two rooms, each an object of its own", () => {
  it("hears both in order under their own names, and joins again after a kill", async () => {
    const say = async (to: Client, words: readonly string[]): Promise<void> => {
      for (const word of words) await to.result("sendToRoom", ["second", word]);
    };
    const first = await enter(endpoint, "chat/group:first", { user: "alice" });
    const other = await enter(endpoint, "chat/group:second", { user: "bob" });
    await first.result("joinRoom", ["second"]);
    await say(other, ["1", "2", "3"]);
    await first.result("sendToRoom", ["first", "home"]);
    await first.until(() => wordsIn(first, "group:second").length === 3, "three words");
    expect(wordsIn(first, "group:second")).toEqual(["1", "2", "3"]);
    expect(wordsIn(first, "group:first")).toEqual(["home"]);
    const offsets = offsetsIn(first, "group:second");
    expect(offsets).toEqual(offsets.map((_, i) => offsets[0]! + i));

    await endpoint.restart();
    using again = await enter(endpoint, "chat/group:first", { user: "alice" });
    using back = await enter(endpoint, "chat/group:second", { user: "bob" });
    await say(back, ["while away"]);
    await again.result("joinRoom", ["second"]);
    await say(back, ["4", "5"]);
    await again.until(() => wordsIn(again, "group:second").length === 2, "two words");
    expect(wordsIn(again, "group:second")).toEqual(["4", "5"]);
    expect(offsetsIn(again, "group:second").at(-1)).toBeGreaterThan(offsets.at(-1)!);
    // Groups end with their connection: bob and alice's new one, nobody else.
    const { members } = (await back.result("$/presence", {})) as { members: Named[] };
    expect(members.map(({ userId, connections }) => [userId, connections])).toEqual([
      ["alice", 1],
      ["bob", 1],
    ]);
  });
});

describe("connections that join and leave a room of another object", () => {
  it("[R1] hear it without a gap, a repetition or another order for as long as they are in it", async () => {
    const dice = chance();
    const ledger = new Ledger();
    const load = { endpoint, ledger, room: "group:source" };
    using scope = new DisposableStack();
    const direct = scope.use(new Subscriber("direct", load));
    const followers = Array.from({ length: 8 }, (_, i) =>
      scope.use(new Subscriber(`f${i}`, load, `group:outpost${i % 2}`)),
    );
    const publishers = ["group:source", "group:outpost0", "group:elsewhere"].map((home, i) =>
      scope.use(new Publisher(`p${i}`, home, load)),
    );
    await Promise.all([direct, ...followers].map((one) => one.enter()));
    for (const publisher of publishers) publisher.start(25);
    /** Followers who left on purpose, once for each time: these are no losses, and have no grace. */
    const onPurpose: string[] = [];
    await Promise.all(
      followers.map(async (follower) => {
        for (let i = 0; i < 12; i += 1) {
          await pause(dice.below(300));
          if (dice.next() < 0.5) {
            onPurpose.push(follower.name);
            await follower.leave();
            await pause(dice.below(50));
            await follower.join();
          } else {
            const how = dice.pick(CUTS);
            if (how === "close") onPurpose.push(follower.name);
            follower.cut(how);
            await follower.enter();
          }
        }
      }),
    );
    // Of every publisher something is heard after the last join.
    for (const publisher of publishers) publisher.burst(1);
    await Promise.all(publishers.map((one) => one.stop()));
    expect(await barrier(ledger, [direct, ...followers])).toEqual([]);
    expect(publishers.flatMap(({ refused }) => refused)).toEqual([]);
    // Those who were lost came back within the grace.
    const times = (names: readonly string[], name: string) =>
      names.filter((one) => one === name).length;
    for (const name of new Set(direct.presence.left))
      expect(times(onPurpose, name)).toBeGreaterThanOrEqual(times(direct.presence.left, name));
  });
});

interface Named {
  readonly userId: string;
  readonly connections: number;
}

const wordsIn = (client: Client, room: string): string[] =>
  client.messages("receiveMessage").flatMap((one) => (one.room === room ? [one.params[1]] : []));

const offsetsIn = (client: Client, room: string): number[] =>
  client.heard.flatMap((one) =>
    one.room === room && one.position !== undefined ? [Number(one.position.split(":")[1])] : [],
  );
