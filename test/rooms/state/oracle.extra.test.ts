// The oracle: a reader of every protocol keeps a copy by snapshots and patches, while writers of every kind run
// actions, and sockets, rooms and relays break. In the end each copy is what the room holds, and each run was done
// once.

import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { chance, sizeOf, type Chance } from "../../support/seed.ts";
import { roomAt } from "../client.ts";
import { READERS, type Reader } from "./readers.ts";
import { persistently, WRITERS, type Answer } from "./writers.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const STEPS = sizeOf(10, 200);
/** Runs of each writer in a step. */
const BURST = 4;

class Crowd {
  readonly hub: string;
  readonly room = `group:${crypto.randomUUID()}`;
  readonly readers: readonly Reader[];
  readonly #writers: readonly ReturnType<(typeof WRITERS)[string]>[];
  /** Of acknowledged runs. */
  readonly answers = new Map<string, Answer>();
  #keys = 0;
  adds = 0;

  constructor(hub: string) {
    const { room } = this;
    this.hub = hub;
    const at = (user: string) => ({ hub, room, user });
    this.readers = Object.entries(READERS).map(([kind, make]) => make(at(`${kind}'s reader`)));
    this.#writers = Object.entries(WRITERS).map(([kind, make]) => make(at(`${kind}'s writer`)));
  }

  get object() {
    return roomAt(`${this.hub}/${this.room}`);
  }

  /** Every writer does some runs, one after another. */
  async write(dice: Chance): Promise<void> {
    await Promise.all(
      this.#writers.map(async (attempt) => {
        for (let n = 0; n < BURST; n++) {
          const key = `k${++this.#keys}`;
          const id = `id${dice.below(6)}`;
          const [action, ...params] = dice.pick([
            ["add", 1],
            ["add", 1],
            ["put", id, { [`at${dice.below(3)}`]: n }],
            ["put", id, n],
            ["drop", id],
          ] as const);
          if (action === "add") this.adds += 1;
          // oxlint-disable-next-line no-await-in-loop -- in their order
          this.answers.set(key, await persistently(attempt, { action, params, key }));
        }
      }),
    );
  }

  async view(): Promise<unknown> {
    const viewed = await this.object.viewedState();
    if ("fault" in viewed) throw new Error(viewed.fault.code);
    return JSON.parse(viewed.text) as unknown;
  }

  /** Until every copy is the room's. Those that lost their connection by the last fault come back. */
  async settle(about: string): Promise<void> {
    const view = await this.view();
    for (const { copy, place } of this.readers)
      // oxlint-disable-next-line vitest/no-standalone-expect -- each step of the tests ends with it
      await expect
        .poll(() => copy.state, { timeout: 20_000, message: `${about}: ${place.user}` })
        .toEqual(view);
  }

  get violations(): string[] {
    return this.readers.flatMap(({ copy, place }) =>
      copy.violations.map((one) => `${place.user}: ${one}`),
    );
  }
}

async function back(reader: Reader): Promise<void> {
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after another
      return await reader.enter();
    } catch {
      // oxlint-disable-next-line no-await-in-loop
      await scheduler.wait(5);
    }
  }
}

/** Some turns of the loop later: places where a fault may fall. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await scheduler.wait(0);
}

type Fault = (crowd: Crowd, dice: Chance) => Promise<void>;

const FAULTS: Readonly<Record<string, Fault>> = {
  cut: async ({ readers }, dice) => {
    const reader = dice.pick(readers);
    reader.cut();
    await turns(dice.below(4));
    await back(reader);
  },
  "abort the room": async ({ object }) => {
    await runInDurableObject(object, (_, state) => state.abort("A fault.")).catch(() => {});
  },
  "abort all": async ({ readers }) => {
    await abortAllDurableObjects();
    // Sockets of objects that were aborted may be half open.
    for (const reader of readers) reader.cut();
    await Promise.all(readers.map(back));
  },
  sleep: async ({ object }) => {
    await evictDurableObject(object).catch(() => {});
  },
  nothing: async () => {},
};

/** What the room's own readers have to do after an abort of the room. */
async function mend(crowd: Crowd, fault: string): Promise<void> {
  if (fault !== "abort the room") return;
  const [own] = crowd.readers;
  own!.cut();
  await back(own!);
}

async function live(hub: string, dice: Chance): Promise<Crowd> {
  const crowd = new Crowd(hub);
  onTestFinished(() => crowd.readers.forEach((reader) => reader.cut()));
  await Promise.all(crowd.readers.map(back));
  for (let step = 0; step < STEPS; step++) {
    const fault = dice.pick(Object.keys(FAULTS));
    const writing = crowd.write(dice);
    await turns(dice.below(12));
    await FAULTS[fault]!(crowd, dice);
    await Promise.all([writing, mend(crowd, fault)]);
    const about = `seed ${dice.seed}, step ${step}, ${fault}`;
    await crowd.settle(about);
    expect(crowd.violations, `${about}`).toEqual([]);
  }
  return crowd;
}

describe("[F2][F5][F11][F13] copies of a state", () => {
  it.each(["odd", "odd-counted"])(
    `of %s, by every protocol, equal it over ${STEPS} faults, and each run was done once`,
    { timeout: sizeOf(120_000, 1_800_000) },
    async (hub) => {
      const crowd = await live(hub, chance());
      const whole = (await crowd.object.wholeState()) as { text: string };
      expect((JSON.parse(whole.text) as { count: number }).count).toBe(crowd.adds);
      for (const { copy, place } of crowd.readers)
        expect(copy.changes, `${place.user}`).toBeGreaterThan(1);
    },
  );

  it.each(["odd-behind", "odd-unlogged", "odd-short"])(
    `of %s equal it over ${STEPS} faults`,
    { timeout: sizeOf(120_000, 1_800_000) },
    async (hub) => expect((await live(hub, chance())).violations).toEqual([]),
  );
});
