// Presence against a model: many users with several connections each, who come and go in every way.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Endpoint } from "../support/endpoint.ts";
import { sharedEndpoint } from "../support/shared-endpoint.ts";
import { chance, sizeOf, type Chance } from "../support/seed.ts";
import { enter, eventually, type Client, type Frame } from "./client.ts";
import { pause } from "./load.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const USERS = sizeOf(30, 200);
const MOST_CONNECTIONS = 3;
const STEPS = sizeOf(500, 5_000);
/** The room's grace, less what clocks and queues may differ. */
const GRACE_MS = 4_500;
/** Frames of two sockets may be read in another order than they were written. */
const SKEW_MS = 1_000;

/** What is true of one user, as the test knows it. */
interface Life {
  readonly clients: Client[];
  /** Since when there was always a connection; undefined where there is none. */
  since: number | undefined;
  endedAt: number;
  /** When a connection was closed on purpose, and not lost. If it was the last one, there is no grace. */
  closedAt: number;
  /** Whether the room has said that the user is here. */
  announced: boolean;
}

class Model {
  readonly lives = new Map<string, Life>(
    Array.from({ length: USERS }, (_, i) => [
      `u${i}`,
      { clients: [], since: undefined, endedAt: 0, closedAt: -Infinity, announced: false },
    ]),
  );
  readonly wrong: string[] = [];

  async join(user: string): Promise<void> {
    const life = this.lives.get(user)!;
    life.clients.push(await enter(endpoint, "chat/group:crowd", { user, onFrame: () => {} }));
    life.since ??= performance.now();
  }

  end(user: string, { pick, below }: Chance): void {
    const life = this.lives.get(user)!;
    const [client] = life.clients.splice(below(life.clients.length), 1);
    if (life.clients.length === 0) [life.since, life.endedAt] = [undefined, performance.now()];
    const way = pick(["reset", "fin", "close"] as const);
    if (way === "close") life.closedAt = performance.now();
    client!.cut(way);
  }

  /** One diff as the watcher hears it. */
  hear({ method, params }: Frame): void {
    if (method !== "$/presence") return;
    for (const { userId } of params.joined) this.#joined(userId);
    for (const userId of params.left) this.#left(userId);
  }

  #joined(user: string): void {
    const life = this.lives.get(user);
    if (!life) return;
    if (life.announced) this.wrong.push(`${user} joined twice`);
    life.announced = true;
  }

  #left(user: string): void {
    const life = this.lives.get(user);
    if (!life) return;
    const now = performance.now();
    if (!life.announced) this.wrong.push(`${user} left without having joined`);
    if (life.since !== undefined && now - life.since > SKEW_MS)
      this.wrong.push(`${user} left while a connection lived`);
    const wasLost = life.endedAt - life.closedAt > SKEW_MS;
    if (life.since === undefined && wasLost && now - life.endedAt < GRACE_MS)
      this.wrong.push(`${user} left before the grace was over`);
    life.announced = false;
  }

  /** Users and their connections, as the room should list them. */
  get present(): [user: string, connections: number][] {
    return [...this.lives]
      .flatMap(([user, { clients }]): [string, number][] =>
        clients.length > 0 ? [[user, clients.length]] : [],
      )
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  get announced(): string[] {
    return [...this.lives].flatMap(([user, life]) => (life.announced ? [user] : [])).toSorted();
  }
}

describe("users with several connections each", () => {
  it(
    `[R10] join once and leave once, over ${STEPS} steps, and the list is right at the end`,
    { timeout: STEPS * 60 + 30_000 },
    async () => {
      const dice = chance();
      const model = new Model();
      using watcher = await enter(endpoint, "chat/group:crowd", {
        user: "watcher",
        onFrame: (frame) => model.hear(frame),
      });
      for (let step = 0; step < STEPS; step += 1) {
        const user = `u${dice.below(USERS)}`;
        const { length } = model.lives.get(user)!.clients;
        const joins = length === 0 || (length < MOST_CONNECTIONS && dice.next() < 0.4);
        if (joins) await model.join(user);
        else model.end(user, dice);
        await pause(dice.below(30));
      }
      const wanted = model.present.map(([user]) => user).join();
      await eventually(async () => model.announced.join() === wanted, "the last leave is said");
      expect(model.wrong).toEqual([]);
      const listed = await membersOf(watcher);
      expect(listed).toEqual([...model.present, ["watcher", 1]]);
      for (const { clients } of model.lives.values())
        for (const client of clients) client[Symbol.dispose]();
    },
  );
});

/** All pages of the list. */
async function membersOf(watcher: Client): Promise<[user: string, connections: number][]> {
  const all: [string, number][] = [];
  for (;;) {
    const after = all.at(-1)?.[0];
    const params = after === undefined ? {} : { after };
    const { members } = (await watcher.result("$/presence", params)) as { members: Member[] };
    if (members.length === 0) return all;
    all.push(...members.map(({ userId, connections }): [string, number] => [userId, connections]));
  }
}

interface Member {
  readonly userId: string;
  readonly connections: number;
}
