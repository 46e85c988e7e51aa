// Random lives of the server's objects against a plain model: whatever breaks, each subscriber gets the log's messages
// from its position on, once and in order; keys publish once; presence is what is connected; and nothing is left.

import { afterEach, beforeEach, expect, it, onTestFailed, vi } from "vitest";
import { chance, chanceOf, sizeOf } from "../../support/seed.ts";
import { Life } from "./life.ts";
import { Site, watchObjects } from "./site.ts";

const LIVES = sizeOf(4, 300);
const STEPS = 40;

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
async function expectPresence(life: Life, about: string): Promise<void> {
  for (const room of life.site.rooms) {
    const present = life.present(room);
    const seen = async () => {
      await life.site.pass(3);
      return life.presence(room);
    };
    // oxlint-disable-next-line no-await-in-loop -- room after room
    await expect.poll(seen, { message: `${about}, ${room}` }).toEqual([present, present]);
  }
}

it(
  `[R1][R3][R4][R10] rooms keep what they promise in ${LIVES} lives`,
  { timeout: 3_600_000 },
  async () => {
    const { seed: first } = chance();
    const seen = watchObjects();
    let life: Life | undefined;
    onTestFailed(() => console.log(life?.site.trail.join("\n")));
    for (let n = 0; n < LIVES; n++) {
      const dice = chanceOf(first + n);
      const about = `DORMOUSE_SEED=${dice.seed}`;
      life = new Life(new Site(seen, { hub: "lively", rooms: ["group:a", "group:b"], dice }));
      // oxlint-disable no-await-in-loop -- one life after another
      await life.live(STEPS);
      await life.settle();
      const { behind } = life;
      await expect.poll(() => life!.behind, { message: `${about}, ${behind}` }).toEqual([]);
      expect([about, ...(await life.faults())]).toEqual([about]);
      await expectPresence(life, about);
      await life.leave();
      await expectPresence(life, `${about}, after all have left`);
      // oxlint-enable no-await-in-loop
    }
  },
);
