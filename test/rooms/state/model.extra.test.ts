// Random lives of rooms with state, and of a plain object that does the same: whatever happens to the room, it is what
// the object is.

import { expect, it, onTestFailed, onTestFinished, vi } from "vitest";
import { chance, sizeOf } from "../../support/seed.ts";
import { Life } from "./life.ts";
import { steeredByClock } from "./steered-room.ts";

steeredByClock();

const STEPS = sizeOf(12, 400);
/** No alarm of the platform comes by itself before this time. */
const AHEAD_MS = 86_400_000;

it.each([
  "modelled",
  "modelled-sql",
  "modelled-short",
  "modelled-behind",
  "modelled-behind-sql",
  "modelled-unlogged",
  "modelled-paced",
])(
  `a state of %s is what a plain object is, whatever happens in ${STEPS} steps`,
  { timeout: sizeOf(30_000, 600_000) },
  async (hub) => {
    vi.setSystemTime(Date.now() + AHEAD_MS);
    const life = new Life(hub, chance(345));
    onTestFinished(() => life.drop());
    onTestFailed(() => console.error(life.trail.slice(-20).join("\n")));
    await life.live(STEPS);
    expect(await life.look()).toBe(life.expected);
  },
);
