// Random lives of the server's objects against a plain model: whatever breaks, each subscriber gets the log's messages
// from its position on, once and in order; keys publish once; presence is what is connected; and nothing is left.

import { afterEach, beforeEach, expect, it, onTestFailed, vi } from "vitest";
import { chance, chanceOf, sizeOf } from "../../support/seed.ts";
import { expectedPresence, presenceOf } from "./compared.ts";
import type { Crowd } from "./crowd.ts";
import { Life } from "./life.ts";
import { Site, watchObjects } from "./site.ts";

const LIVES = sizeOf(4, 300);
const STEPS = 40;
const HUBS = ["lively", "lively-small"];

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Presence of each room; after a loss it is right when the grace is over. */
async function expectPresence(crowd: Crowd, about: string): Promise<void> {
  for (const room of crowd.site.rooms) {
    const seen = async () => {
      await crowd.site.pass(3);
      return presenceOf(crowd, room);
    };
    // oxlint-disable-next-line no-await-in-loop -- room after room
    await expect
      .poll(seen, { message: `${about}, ${room}` })
      .toEqual(expectedPresence(crowd, room));
  }
}

async function expectNothing({ site }: Crowd, about: string): Promise<void> {
  // What ended unread is held for its client's next poll, for some seconds.
  const held = async () => {
    await site.pass(3);
    return site.held();
  };
  await expect.poll(held, { message: about }).toEqual([]);
  for (const room of site.rooms)
    // oxlint-disable-next-line no-await-in-loop -- room after room
    expect((await site.ask("DELETE", `/rooms/${encodeURIComponent(room)}`)).status).toBe(200);
  await expect.poll(() => site.stored(), { message: about }).toEqual([]);
}

it(
  `[R1][R3][R4][R10] rooms keep what they promise in ${LIVES} lives`,
  { timeout: 3_600_000 },
  async () => {
    const { seed: first } = chance();
    const seen = watchObjects();
    let life: Life | undefined;
    onTestFailed(() => console.log(life?.crowd.site.trail.join("\n")));
    for (let n = 0; n < LIVES; n++) {
      const dice = chanceOf(first + n);
      const about = `DORMOUSE_SEED=${dice.seed}`;
      life = new Life(
        new Site(seen, { hub: dice.pick(HUBS), rooms: ["group:a", "group:b"], dice }),
      );
      // oxlint-disable no-await-in-loop -- one life after another
      await life.live(STEPS);
      await life.settle();
      await expect.poll(() => life!.behind(), { message: about }).toEqual([]);
      expect([about, ...(await life.faults())]).toEqual([about]);
      await expectPresence(life.crowd, about);
      await life.crowd.leave();
      await expectPresence(life.crowd, `${about}, after all have left`);
      await expectNothing(life.crowd, about);
      // oxlint-enable no-await-in-loop
    }
  },
);
