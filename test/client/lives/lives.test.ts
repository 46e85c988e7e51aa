// Random lives of connections against a modelled server: whatever happens, each message comes once or its loss is
// reported, each call ends once, and nothing is left after the end.

import { afterEach, beforeEach, expect, it, onTestFailed, vi } from "vitest";
import { chance, chanceOf, sizeOf } from "../../support/seed.ts";
import { EventsLife } from "./events-life.ts";
import { HubLife } from "./hub-life.ts";
import { RoomLife } from "./room-life.ts";

const LIVES = sizeOf(6, 400);
const STEPS = 150;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, "error").mockReturnValue();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it.each([
  { name: "a room", Life: RoomLife },
  { name: "a hub", Life: HubLife },
  { name: "events", Life: EventsLife },
])(
  `a connection to $name agrees with the server in ${LIVES} lives`,
  { timeout: 600_000 },
  async ({ Life }) => {
    const seeds = chance(71);
    let life: EventsLife | HubLife | RoomLife | undefined;
    onTestFailed(() => console.error(life?.trail.slice(-60).join("\n")));
    for (let n = 0; n < LIVES; n += 1) {
      const seed = seeds.below(2 ** 31);
      life = new Life(chanceOf(seed));
      // oxlint-disable-next-line no-await-in-loop -- one step after another
      for (let step = 0; step < STEPS; step += 1) await life.step();
      // oxlint-disable-next-line no-await-in-loop -- as above
      const faults = [...(await life.look()), ...(await life.end())];
      expect(faults, `life ${n}, seed ${seed}`).toEqual([]);
    }
  },
);
